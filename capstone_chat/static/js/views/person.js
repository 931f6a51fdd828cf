/** Somebody else: who they are, and what the reader can do with them. */

import { call, post } from "../api.js";
import { avatar } from "../accounts/avatar.js";
import { el } from "../browser/dom.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { ask, openDialog } from "./dialog.js";
import { handOver, removeMember } from "./groups.js";

/** @typedef {import("../conversations/store.js").Store} Store */
/** @typedef {import("../accounts/user_directory.js").Person & {name: string}} Somebody */

/** A dot on the picture of a contact who is connected. @param {Store} store @param {Somebody} person @param {"small"|"large"} [size] */
export function face(store, person, size) {
  const online = store.contacts.get(person.id)?.online;
  return el("span", { class: "face" }, avatar(person, size), online && el("span", { class: "dot" }),
    online && el("span", { class: "spoken", text: `${strings.online} ` }));
}

/**
 * Open the private chat with somebody.
 * @param {number} id @param {(summary: any) => void} enter
 */
export async function openPrivate(id, enter) {
  enter((await post(`/api/private/${id}`)).conversation);
}

/**
 * The actions for somebody, as buttons. Each calls `done` before it does anything.
 * @param {Store} store
 * @param {Somebody} person
 * @param {{enter: (summary: any) => void, failed: (error: unknown) => void, done?: () => void,
 *          group?: import("../conversations/store.js").Conversation, stranger?: boolean}} context
 *   `group`: where the reader met them; `stranger`: the reader cannot write to them yet
 */
export function personActions(store, person, { enter, failed, done = () => {}, group, stranger }) {
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
          failed(error);
        }
      },
    });
  const set = async (/** @type {object} */ body) =>
    store.setContacts([(await call("PUT", `/api/contacts/${id}`, body)).contact], false);
  const remove = async () => {
    await call("DELETE", `/api/contacts/${id}`);
    store.removeContact(id);
  };
  const block = () => ask({
    title: strings.blockQuestion(nameOf(person)),
    text: strings.blockHint,
    action: strings.block,
    danger: true,
    submit: () => set({ blocked: true }),
  });
  const canWrite = !contact?.blocked && (contact || !stranger) && store.open?.peer?.id !== id;
  const ours = group?.role === "owner" ? group : null;
  return [
    canWrite && button(strings.write, () => openPrivate(id, enter), "primary"),
    contact?.blocked && button(strings.unblock, () => set({ blocked: false })),
    !contact && button(strings.addToContacts, () => set({ blocked: false })),
    contact && !contact.blocked && button(strings.removeContact, remove),
    !contact?.blocked && button(strings.block, block),
    ours && button(strings.makeOwner, () => handOver(store, ours, person)),
    ours && button(strings.removeMember, () => removeMember(ours, person), "danger"),
  ].filter(Boolean);
}

/** @param {Store} store @param {Somebody} person @param {Parameters<typeof personActions>[2]} context */
export function openPerson(store, person, context) {
  const contact = store.contacts.get(person.id);
  const dialog = openDialog(nameOf(person),
    el("div", { class: "person" },
      face(store, person, "large"),
      el("p", {}, `@${person.name}`, contact?.blocked && el("span", { class: "tag", text: strings.blocked }))),
    el("div", { class: "column" }, ...personActions(store, person, { ...context, done: () => dialog.close() })));
}
