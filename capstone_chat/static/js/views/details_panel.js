/** The right pane: the other person of a private chat, or a group and its members. */

import { nameOf } from "../accounts/user_directory.js";
import * as api from "../api.js";
import { byId, debounce, el, setText, updateChildren } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { addMembers, editGroup, leaveGroup } from "./groups.js";
import { invitedMember, invitedTo } from "./invitations.js";
import { openInviteLink } from "./invite_link.js";
import { avatarWithPresence, openPerson, personActions } from "./person.js";
import { showError } from "./toast.js";

const RELOAD_DELAY = 500; // milliseconds for each page that is shown, because often many people join at once
const SEARCH_DELAY = 250; // milliseconds after the last keystroke

/** @typedef {import("../accounts/user_directory.js").Person & {name: string, role: string}} Member */

/**
 * Create the right pane.
 * @param {import("../conversations/store.js").Store} store
 * @param {{isOpen: () => boolean, openConversation: (summary: any) => void}} page `isOpen`: whether the panel is visible
 */
export function detailsPanelView(store, { isOpen, openConversation }) {
  const about = byId("about");
  const list = byId("members");
  /** @type {Member[]} */
  let members = [];
  /** Invited users, for the owner. @type {Member[]} */
  let invited = [];
  /** The conversation and its `lastChange` that `members` shows. */
  let loaded = "";
  let requested = "";
  /** The cursor of the next page of members. @type {number | null} */
  let next = null;
  let pages = 1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const more = el("button", {
    class: "button soft further", type: "button", text: strings.showMore, hidden: true,
    async onclick() {
      const first = members.length;
      pages += 1;
      await fetchMembers();
      list.children[first]?.querySelector("button")?.focus();
    },
  });
  const field = el("input", {
    class: "input find-member", type: "search", autocomplete: "off", maxlength: 80, hidden: true,
    placeholder: strings.findMember, "aria-label": strings.findMember, "aria-controls": "members",
    oninput: debounce(SEARCH_DELAY, () => { pages = 1; fetchMembers(); }),
  });
  list.before(field);
  list.after(more);

  /** Fetch all pages that are shown again; the more pages, the longer the delay. */
  function load() {
    clearTimeout(timer);
    timer = setTimeout(fetchMembers, RELOAD_DELAY * pages);
  }

  /** @param {string} path @param {string} query @returns {Promise<{members: Member[], next: number | null}>} */
  async function fetchPages(path, query) {
    const answer = await api.get(path, { query });
    for (let page = 1; page < pages && answer.next !== null; page++) {
      const following = await api.get(path, { query, after: answer.next });
      answer.members.push(...following.members);
      answer.next = following.next;
    }
    return answer;
  }

  async function fetchMembers() {
    const conversation = store.open;
    if (!conversation || conversation.isPrivate || !isOpen()) return;
    const { id, lastChange } = conversation;
    const query = field.value.trim();
    const wanted = pages;
    try {
      const [answer, waiting] = await Promise.all([
        fetchPages(`/api/conversations/${id}/members`, query),
        conversation.role === "owner" ? invitedTo(id) : [],
      ]);
      if (store.openId !== id || query !== field.value.trim() || wanted !== pages) return;
      loaded = requested = `${id} ${lastChange}`;
      ({ members, next } = answer);
      invited = waiting;
      drawMembers();
    } catch {
      requested = ""; // the panel keeps what it shows; the next change repeats the request
    }
  }

  function drawMembers() {
    const group = store.open;
    more.hidden = next === null;
    if (next !== null) field.hidden = false;
    updateChildren(list, ...members.map((member) => {
      const words = [
        avatarWithPresence(store, member, "small"),
        el("span", { class: "words" },
          el("b", { class: "one-line", "data-nickname": member.id, text: nameOf(member) }),
          el("span", { class: "one-line", text: `@${member.name}` })),
        member.role === "owner" && el("span", { class: "tag", text: strings.owner }),
      ];
      if (member.id === store.user.id) return el("li", { class: "member", "data-key": member.id }, ...words);
      return el("li", { "data-key": member.id }, el("button", {
        class: "member", type: "button", "data-key": member.id, "aria-haspopup": "dialog",
        onclick: () => openPerson(store, member, { openConversation, onError: showError, group }),
      }, ...words));
    }), ...(group ? invited.map((person) => invitedMember(store, group.id, person, fetchMembers)) : []));
  }

  function draw() {
    const conversation = store.open;
    if (!conversation || !isOpen()) return;
    const { id, peer, peerDeleted, lastChange } = conversation;
    setText(byId("about-title"), peer ? strings.aboutPerson : strings.membersTitle);
    list.hidden = Boolean(peer);
    if (peer) {
      field.hidden = more.hidden = true;
      loaded = requested = "";
      updateChildren(about,
        el("div", { class: "person" },
          avatarWithPresence(store, peer, "large"),
          el("h3", { text: nameOf(peer) }),
          el("p", { text: peerDeleted ? "" : `@${peer.name}` })),
        el("div", { class: "column" }, ...(peerDeleted ? [] : personActions(store, peer, { openConversation, onError: showError }))));
      return;
    }
    drawGroup(conversation);
    const wanted = `${id} ${lastChange}`;
    if (!loaded.startsWith(`${id} `)) {
      loaded = requested = `${id} `;
      list.replaceChildren();
      field.value = "";
      field.hidden = more.hidden = true;
      pages = 1;
      fetchMembers();
    } else if (requested !== wanted && loaded !== `${id} `) {
      requested = wanted;
      load();
    } else drawMembers();
  }

  /** @param {import("../conversations/conversation.js").Conversation} group */
  function drawGroup(group) {
    const owner = group.role === "owner";
    const button = (/** @type {string} */ text, /** @type {() => void} */ onclick) =>
      el("button", { class: "button", type: "button", text, onclick });
    updateChildren(about,
      el("h3", { text: group.title }),
      ...(group.description ? [el("p", { text: group.description })] : []),
      el("p", { class: "hint", text: group.public ? strings.isPublic : strings.isPrivate }),
      el("div", { class: "actions" },
        owner && button(strings.addMember, () => addMembers(store, group, members, fetchMembers)),
        owner && button(strings.inviteLink, () => openInviteLink(group).catch(showError)),
        owner && button(strings.editGroup, () => editGroup(store, group)),
        button(strings.leave, () => leaveGroup(store, group))));
  }

  store.subscribe(["open", "members", "contacts"], draw);
  return { draw };
}
