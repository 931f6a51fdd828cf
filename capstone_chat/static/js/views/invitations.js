/** Invitations to groups: above the conversations, and for the owner of a group below its members. */

import { ApiError, call, get, post } from "../api.js";
import { groupAvatar } from "../accounts/avatar.js";
import { el, icon } from "../browser/dom.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { mishap, notice } from "./toast.js";
import { face, openPerson } from "./person.js";

/** @typedef {import("../conversations/store.js").Store} Store */
/** @typedef {import("../conversations/store.js").Invitation} Invitation */

/**
 * One invitation of the reader's.
 * @param {Store} store @param {Invitation} invitation
 * @param {{enter: (summary: any) => void, done: () => void}} actions `done` gives the focus to another place
 */
export function invitationEntry(store, { conv, title, members, by }, { enter, done }) {
  const name = nameOf(by);
  const answer = async (/** @type {() => Promise<void>} */ work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "not_found")) return mishap(error);
      notice(strings.invitationGone);
    }
    store.invitationEnded(conv);
  };
  return el("li", { class: "invitation" },
    el("button", {
      class: "entry", type: "button", "aria-haspopup": "dialog",
      onclick: () => openPerson(store, by, { enter, failed: mishap, stranger: true }),
    },
      groupAvatar(conv, title),
      el("span", { class: "words" },
        el("span", { class: "top" }, el("span", { class: "name one-line", text: title })),
        el("span", { class: "bottom" }, el("span", { class: "line one-line", text: strings.invitedBy(name) })),
        el("span", { class: "bottom" }, el("span", { class: "line one-line", text: `@${by.name} · ${strings.members(members)}` })))),
    el("div", { class: "answers" },
      el("button", {
        class: "button primary", type: "button", text: strings.accept, "aria-label": strings.acceptNamed(title),
        onclick: () => answer(async () => enter((await post(`/api/groups/${conv}/join`)).conversation)),
      }),
      el("button", {
        class: "button", type: "button", text: strings.decline, "aria-label": strings.declineNamed(title),
        onclick: () => answer(async () => {
          await call("DELETE", `/api/groups/${conv}/invitations/${store.user.id}`);
          done();
        }),
      })));
}

/** The people who are invited to a group. @param {number} group */
export const invitedTo = async (group) => (await get(`/api/groups/${group}/invitations`)).invitations;

/**
 * Somebody who is invited, for the owner.
 * @param {Store} store @param {number} group @param {import("./details_panel.js").Member} person
 * @param {() => void} done the invitation is withdrawn, or was answered meanwhile
 */
export function invitedMember(store, group, person, done) {
  const withdraw = async () => {
    try {
      await call("DELETE", `/api/groups/${group}/invitations/${person.id}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "not_found")) return mishap(error);
    }
    done();
  };
  return el("li", { class: "member" },
    face(store, person, "small"),
    el("span", { class: "words" },
      el("b", { class: "one-line", text: nameOf(person) }),
      el("span", { class: "one-line", text: `${strings.invited} · @${person.name}` })),
    el("button", {
      class: "icon-button", type: "button", title: strings.withdraw,
      "aria-label": strings.withdrawNamed(nameOf(person)), onclick: withdraw,
    }, icon("close")));
}
