/** Invitations to groups: above the conversations, and for the owner of a group below its members. */

import { groupAvatar } from "../accounts/avatar.js";
import { nameOf } from "../accounts/user_directory.js";
import { ApiError, get, post, request } from "../api.js";
import { el, icon } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { avatarWithPresence, openPerson } from "./person.js";
import { showError, showToast } from "./toast.js";

/** @typedef {import("../conversations/store.js").Store} Store */
/** @typedef {import("../conversations/store.js").Invitation} Invitation */

/**
 * Create the element of one invitation of the reader.
 * @param {Store} store @param {Invitation} invitation
 * @param {{openConversation: (summary: any) => void, done: () => void}} actions `done` moves the focus
 */
export function invitationItem(store, { conv, title, members, by }, { openConversation, done }) {
  const name = nameOf(by);
  const answer = async (/** @type {() => Promise<void>} */ work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "not_found")) return showError(error);
      showToast(strings.invitationGone);
    }
    store.removeInvitation(conv);
  };
  return el("li", { class: "invitation", "data-key": conv },
    el("button", {
      "data-key": conv, class: "entry", type: "button", "aria-haspopup": "dialog",
      onclick: () => openPerson(store, by, { openConversation, onError: showError, stranger: true }),
    },
      groupAvatar(conv, title),
      el("span", { class: "words" },
        el("span", { class: "top" }, el("span", { class: "name one-line", text: title })),
        el("span", { class: "bottom" }, el("span", { class: "line one-line", text: strings.invitedBy(name) })),
        el("span", { class: "bottom" }, el("span", { class: "line one-line", text: `@${by.name} · ${strings.members(members)}` })))),
    el("div", { class: "answers" },
      el("button", {
        class: "button primary", type: "button", text: strings.accept, "aria-label": strings.acceptNamed(title),
        onclick: () => answer(async () => openConversation((await post(`/api/groups/${conv}/join`)).conversation)),
      }),
      el("button", {
        class: "button", type: "button", text: strings.decline, "aria-label": strings.declineNamed(title),
        onclick: () => answer(async () => {
          await request("DELETE", `/api/groups/${conv}/invitations/${store.user.id}`);
          done();
        }),
      })));
}

/** Fetch the users who are invited to a group. @param {number} group */
export const invitedTo = async (group) => (await get(`/api/groups/${group}/invitations`)).invitations;

/**
 * Create the list item of an invited user, for the owner.
 * @param {Store} store @param {number} group @param {import("./details_panel.js").Member} person
 * @param {() => void} done the invitation is withdrawn, or was answered meanwhile
 */
export function invitedMember(store, group, person, done) {
  const withdraw = async () => {
    try {
      await request("DELETE", `/api/groups/${group}/invitations/${person.id}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "not_found")) return showError(error);
    }
    done();
  };
  return el("li", { class: "member", "data-key": `invited ${person.id}` },
    avatarWithPresence(store, person, "small"),
    el("span", { class: "words" },
      el("b", { class: "one-line", text: nameOf(person) }),
      el("span", { class: "one-line", text: `${strings.invited} · @${person.name}` })),
    el("button", {
      class: "icon-button", type: "button", title: strings.withdraw,
      "aria-label": strings.withdrawNamed(nameOf(person)), onclick: withdraw,
    }, icon("close")));
}
