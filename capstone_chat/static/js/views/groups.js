/** The dialogs about a group: creating and changing it, its members, leaving it. */

import { nameOf } from "../accounts/user_directory.js";
import { ApiError, post, request } from "../api.js";
import { strings } from "../i18n/strings.js";
import { openFormDialog } from "./dialog.js";
import { showToast } from "./toast.js";

/** @typedef {import("../conversations/conversation.js").Conversation} Conversation */
/** @typedef {import("../conversations/store.js").Store} Store */

/** @param {Store} store @param {{name?: string, description?: string, public?: boolean}} group */
const fields = (store, { name = "", description = "", public: isPublic = true }) =>
  /** @type {import("./dialog.js").Field[]} */ ([
    { name: "title", label: strings.groupName, value: name, maxLength: store.limits.title },
    {
      name: "description", label: strings.about, note: strings.mayStayEmpty, kind: "textarea",
      value: description, maxLength: store.limits.description, optional: true,
    },
    {
      name: "public", label: strings.whoCanJoin, kind: "choice", value: String(isPublic),
      options: [
        { value: "true", label: strings.publicGroup, hint: strings.publicHint },
        { value: "false", label: strings.privateGroup, hint: strings.privateHint },
      ],
    },
  ]);

/** @param {Record<string, string>} values */
const parsed = (values) => ({ ...values, public: values.public === "true" });

/** @param {Store} store @param {(summary: any) => void} created @param {string} [name] to begin with */
export function createGroup(store, created, name = "") {
  openFormDialog({
    title: strings.createGroup,
    fields: fields(store, { name }),
    action: strings.create,
    async submit(values) {
      const { conversation } = await post("/api/groups", parsed(values));
      return () => created(conversation);
    },
  });
}

/** @param {Store} store @param {Conversation} group */
export function editGroup(store, group) {
  openFormDialog({
    title: strings.editGroup,
    fields: fields(store, group),
    action: strings.save,
    submit: async (values) => {
      store.upsert((await request("PATCH", `/api/groups/${group.id}`, parsed(values))).conversation);
    },
  });
}

/**
 * Open a dialog for a user name.
 * @param {{title: string, hint: string, submit: (name: string) => Promise<void | (() => void)>}} question
 */
export function openNameDialog({ title, hint, submit }) {
  openFormDialog({
    title,
    fields: [{ name: "name", label: strings.userName, hint, maxLength: 64 }],
    action: strings.add,
    async submit({ name }) {
      try {
        return await submit(name.replace(/^@/, ""));
      } catch (error) {
        if (!(error instanceof ApiError) || error.status === 0) throw error;
        const message = error.code === "not_found" ? strings.nobody : error.message;
        throw new ApiError(message, { status: error.status, code: error.code, field: "name" });
      }
    },
  });
}

/** @param {Store} store @param {Conversation} group @param {() => void} invited called when a user was invited instead of added */
export function addMember(store, { id }, invited) {
  openNameDialog({
    title: strings.addMember,
    hint: strings.addContactHint,
    submit: async (name) => {
      const answer = await post(`/api/groups/${id}/members`, { name });
      store.upsert(answer.conversation);
      if (!answer.invited) return undefined;
      invited();
      return () => showToast(strings.invitationSent(name));
    },
  });
}

/** @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function removeMember({ id }, person) {
  openFormDialog({
    title: strings.removeQuestion(nameOf(person)),
    text: strings.removeHint,
    action: strings.removeMember,
    danger: true,
    submit: async () => void (await request("DELETE", `/api/groups/${id}/members/${person.id}`)),
  });
}

/** @param {Store} store @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function transferOwnership(store, { id }, person) {
  openFormDialog({
    title: strings.makeOwnerQuestion(nameOf(person)),
    text: strings.makeOwnerHint,
    action: strings.makeOwner,
    submit: async () => void store.upsert((await request("PUT", `/api/groups/${id}/owner`, { user: person.id })).conversation),
  });
}

/** @param {Store} store @param {Conversation} group */
export function leaveGroup(store, { id, title, role, members }) {
  const hasSuccessor = role === "owner" && members > 1;
  openFormDialog({
    title: strings.leaveQuestion(title),
    text: hasSuccessor ? `${strings.leaveHint} ${strings.leaveOwnerHint}` : strings.leaveHint,
    action: strings.leave,
    danger: true,
    submit: async () => void (await request("DELETE", `/api/groups/${id}/members/${store.user.id}`)),
  });
}
