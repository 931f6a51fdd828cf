/** The dialogs about a group: creating and changing it, its members, leaving it. */

import { nameOf } from "../accounts/user_directory.js";
import { ApiError, get, post, request } from "../api.js";
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

/** Open the dialog that creates a group. @param {Store} store @param {(summary: any) => void} created */
export function createGroup(store, created) {
  openFormDialog({
    title: strings.createGroup,
    fields: fields(store, {}),
    action: strings.create,
    async submit(values) {
      const { conversation } = await post("/api/groups", parsed(values));
      return () => created(conversation);
    },
  });
}

/** Return the second line about a group that the reader may join. @param {{members: number, description: string}} group */
export const groupLine = ({ members, description }) => [strings.members(members), description].filter(Boolean).join(" · ");

/**
 * Ask whether to join a group, and do it.
 * @param {{title: string, members: number, description: string}} group
 * @param {() => Promise<{conversation: any}>} join
 * @param {(summary: any) => void} joined
 */
function askToJoin(group, join, joined) {
  openFormDialog({
    title: strings.joinQuestion(group.title),
    text: groupLine(group),
    action: strings.join,
    async submit() {
      const { conversation } = await join();
      return () => joined(conversation);
    },
  });
}

/**
 * Ask whether to join a public group, and do it; tell the reader if there is no such group.
 * @param {number} id @param {(summary: any) => void} joined
 */
export async function offerGroup(id, joined) {
  const { group } = await get(`/api/groups/${id}`);
  if (!group) return showToast(strings.noSuchConversation);
  return askToJoin(group, () => post(`/api/groups/${id}/join`), joined);
}

/**
 * Ask whether to join the group of an invite link, and do it; a member goes there without a question.
 * @param {string} token @param {(summary: any) => void} joined
 */
export async function offerInvite(token, joined) {
  const { group } = await get("/api/join", { token });
  const join = () => post("/api/join", { token });
  if (group.joined) return joined((await join()).conversation);
  return askToJoin(group, join, joined);
}

/** Open the dialog that changes title, description and visibility of a group. @param {Store} store @param {Conversation} group */
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
        throw nameError(error);
      }
    },
  });
}

/** Return an error that a dialog shows beside the field `name`. @param {unknown} error @param {string} [name] of the user, if several were given */
function nameError(error, name) {
  if (!(error instanceof ApiError) || error.status === 0) return error;
  const message = error.code === "not_found" ? strings.nobody : error.message;
  return new ApiError(name ? `@${name}: ${message}` : message, { status: error.status, code: error.code, field: "name" });
}

/**
 * Open the dialog that adds or invites users to a group: contacts, and others by user name.
 * @param {Store} store @param {Conversation} group
 * @param {import("./details_panel.js").Member[]} members the known ones; they are not offered
 * @param {() => void} invited called when a user was invited instead of added
 */
export function addMembers(store, { id }, members, invited) {
  const known = new Set(members.map((member) => member.id));
  const contacts = [...store.contacts.values()].filter((contact) => !contact.blocked && !known.has(contact.id));
  const options = contacts.map((contact) => ({ value: contact.name, label: nameOf(contact), hint: `@${contact.name}` }));
  openFormDialog({
    title: strings.addMember,
    fields: [
      { name: "name", label: strings.userName, hint: `${strings.addContactHint} ${strings.severalNames}`, optional: options.length > 0 },
      ...(options.length ? [{ name: "contacts", label: strings.contacts, kind: /** @type {const} */ ("checks"), options, optional: true }] : []),
    ],
    action: strings.add,
    async submit(values) {
      const names = [...new Set(`${values.contacts ?? ""} ${values.name}`.split(/[\s,;@]+/u).filter(Boolean))];
      if (names.length === 0) throw new ApiError(strings.required, { field: "name" });
      const waiting = [];
      for (const name of names) { // to add a member once more changes nothing, so after an error all names may be sent again
        try {
          const answer = await post(`/api/groups/${id}/members`, { name });
          store.upsert(answer.conversation);
          if (answer.invited) waiting.push(name);
        } catch (error) {
          throw nameError(error, names.length > 1 ? name : undefined);
        }
      }
      if (waiting.length === 0) return undefined;
      invited();
      return () => showToast(strings.invitationSent(waiting.join(", @")));
    },
  });
}

/** Ask whether to remove a member from a group, and do it. @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function removeMember({ id }, person) {
  openFormDialog({
    title: strings.removeQuestion(nameOf(person)),
    text: strings.removeHint,
    action: strings.removeMember,
    danger: true,
    submit: async () => void (await request("DELETE", `/api/groups/${id}/members/${person.id}`)),
  });
}

/** Ask whether to make another member the owner of a group, and do it. @param {Store} store @param {Conversation} group @param {import("../accounts/user_directory.js").Person} person */
export function transferOwnership(store, { id }, person) {
  openFormDialog({
    title: strings.makeOwnerQuestion(nameOf(person)),
    text: strings.makeOwnerHint,
    action: strings.makeOwner,
    submit: async () => void store.upsert((await request("PUT", `/api/groups/${id}/owner`, { user: person.id })).conversation),
  });
}

/** Ask whether to leave a group, and do it. @param {Store} store @param {Conversation} group */
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
