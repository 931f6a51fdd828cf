/** The dialogs about a group: making and changing it, its members, leaving it. */

import { ApiError, call, post } from "../api.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { ask } from "./dialog.js";
import { notice } from "./toast.js";

/** @typedef {import("../conversations/store.js").Conversation} Conversation */
/** @typedef {import("../conversations/store.js").Store} Store */

/** @param {Store} store @param {{name?: string, description?: string, public?: boolean}} group */
const fields = (store, { name = "", description = "", public: isPublic = true }) =>
  /** @type {import("./dialog.js").Field[]} */ ([
    { name: "title", label: strings.groupName, value: name, longest: store.limits.title },
    {
      name: "description", label: strings.about, note: strings.mayStayEmpty, kind: "textarea",
      value: description, longest: store.limits.description, optional: true,
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
  ask({
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
  ask({
    title: strings.editGroup,
    fields: fields(store, group),
    action: strings.save,
    submit: async (values) => {
      store.put((await call("PATCH", `/api/groups/${group.id}`, parsed(values))).conversation);
    },
  });
}

/**
 * Ask for a user name.
 * @param {{title: string, hint: string, submit: (name: string) => Promise<void | (() => void)>}} question
 */
export function askForName({ title, hint, submit }) {
  ask({
    title,
    fields: [{ name: "name", label: strings.userName, hint, longest: 64 }],
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

/** @param {Store} store @param {Conversation} group @param {() => void} invited called when somebody was invited */
export function addMember(store, { id }, invited) {
  askForName({
    title: strings.addMember,
    hint: strings.addContactHint,
    submit: async (name) => {
      const answer = await post(`/api/groups/${id}/members`, { name });
      store.put(answer.conversation);
      if (!answer.invited) return undefined;
      invited();
      return () => notice(strings.invitationSent(name));
    },
  });
}

/** @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function removeMember({ id }, person) {
  ask({
    title: strings.removeQuestion(nameOf(person)),
    text: strings.removeHint,
    action: strings.removeMember,
    danger: true,
    submit: async () => void (await call("DELETE", `/api/groups/${id}/members/${person.id}`)),
  });
}

/** @param {Store} store @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function handOver(store, { id }, person) {
  ask({
    title: strings.makeOwnerQuestion(nameOf(person)),
    text: strings.makeOwnerHint,
    action: strings.makeOwner,
    submit: async () => void store.put((await call("PUT", `/api/groups/${id}/owner`, { user: person.id })).conversation),
  });
}

/** @param {Store} store @param {Conversation} group */
export function leaveGroup(store, { id, title, role, members }) {
  const heir = role === "owner" && members > 1;
  ask({
    title: strings.leaveQuestion(title),
    text: heir ? `${strings.leaveHint} ${strings.leaveOwnerHint}` : strings.leaveHint,
    action: strings.leave,
    danger: true,
    submit: async () => void (await call("DELETE", `/api/groups/${id}/members/${store.user.id}`)),
  });
}
