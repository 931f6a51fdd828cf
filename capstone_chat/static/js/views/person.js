/** The dialog about another user, and the actions that the reader has there. */

import { avatar } from "../accounts/avatar.js";
import { nameOf } from "../accounts/user_directory.js";
import { post, request } from "../api.js";
import { el } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { openDialog, openFormDialog } from "./dialog.js";
import { removeMember, transferOwnership } from "./groups.js";

/** @typedef {import("../conversations/store.js").Store} Store */
/** @typedef {import("../accounts/user_directory.js").Person & {name: string}} NamedPerson */

/** Return an avatar, with a dot if the user is a contact who is online. @param {Store} store @param {NamedPerson} person @param {"small"|"large"} [size] */
export function avatarWithPresence(store, person, size) {
  const online = store.contacts.get(person.id)?.online;
  return el("span", { class: "with-presence" }, avatar(person, size), online && el("span", { class: "dot" }),
    online && el("span", { class: "spoken", text: `${strings.online} ` }));
}

/**
 * Open the private chat with a user.
 * @param {number} id @param {(summary: any) => void} openConversation
 */
export async function openPrivate(id, openConversation) {
  openConversation((await post(`/api/private/${id}`)).conversation);
}

/**
 * Create the buttons for the actions on a user. Each calls `done` before its action.
 * @param {Store} store
 * @param {NamedPerson} person
 * @param {{openConversation: (summary: any) => void, onError: (error: unknown) => void, done?: () => void,
 *          group?: import("../conversations/conversation.js").Conversation, stranger?: boolean}} context
 *   `group`: the group in which the reader met the user; `stranger`: the reader cannot write to the user yet
 */
export function personActions(store, person, { openConversation, onError, done = () => {}, group, stranger }) {
  const { id } = person;
  const contact = store.contacts.get(id);
  const button = (/** @type {string} */ text, /** @type {() => void | Promise<void>} */ act, style = "") =>
    el("button", {
      class: `button wide ${style}`, type: "button", text,
      async onclick() {
        done();
        try {
          await act();
        } catch (error) {
          onError(error);
        }
      },
    });
  const update = async (/** @type {object} */ body) =>
    store.setContacts([(await request("PUT", `/api/contacts/${id}`, body)).contact], false);
  const remove = async () => {
    await request("DELETE", `/api/contacts/${id}`);
    store.removeContact(id);
  };
  const block = () => openFormDialog({
    title: strings.blockQuestion(nameOf(person)),
    text: strings.blockHint,
    action: strings.block,
    danger: true,
    submit: () => update({ blocked: true }),
  });
  const canWrite = !contact?.blocked && (contact || !stranger) && store.open?.peer?.id !== id;
  const ownGroup = group?.role === "owner" ? group : null;
  return [
    canWrite && button(strings.write, () => openPrivate(id, openConversation), "primary"),
    contact?.blocked && button(strings.unblock, () => update({ blocked: false })),
    !contact && button(strings.addToContacts, () => update({ blocked: false })),
    contact && !contact.blocked && button(strings.removeContact, remove),
    !contact?.blocked && button(strings.block, block),
    ownGroup && button(strings.makeOwner, () => transferOwnership(store, ownGroup, person)),
    ownGroup && button(strings.removeMember, () => removeMember(ownGroup, person), "danger"),
  ].filter(Boolean);
}

/** Open the dialog about another user. @param {Store} store @param {NamedPerson} person @param {Parameters<typeof personActions>[2]} context */
export function openPerson(store, person, context) {
  const contact = store.contacts.get(person.id);
  const dialog = openDialog(nameOf(person),
    el("div", { class: "person" },
      avatarWithPresence(store, person, "large"),
      el("p", {}, `@${person.name}`, contact?.blocked && el("span", { class: "tag", text: strings.blocked }))),
    el("div", { class: "column" }, ...personActions(store, person, { ...context, done: () => dialog.close() })));
}
