/** The right pane: the other person of a private chat, or a group and who is in it. */

import * as api from "../api.js";
import { byId, debounce, el, setText } from "../dom.js";
import { nameOf } from "../people.js";
import { strings } from "../strings.js";
import { addMember, editGroup, leaveGroup } from "./groups.js";
import { mishap } from "./notice.js";
import { face, openPerson, personActions } from "./person.js";

const RELOAD_AFTER = 500; // milliseconds: people often join in bursts

/** @typedef {import("../people.js").Person & {name: string, role: string}} Member */

/**
 * @param {import("../store.js").Store} store
 * @param {{isOpen: () => boolean, enter: (summary: any) => void}} page whether the panel can be seen
 */
export function panelView(store, { isOpen, enter }) {
  const about = byId("about");
  const list = byId("members");
  /** @type {Member[]} */
  let members = [];
  /** The conversation and the change of it that `members` shows. */
  let loaded = "";
  let asked = "";

  const load = debounce(RELOAD_AFTER, fetchMembers);

  async function fetchMembers() {
    const conversation = store.open;
    if (!conversation || conversation.isPrivate || !isOpen()) return;
    const { id, lastChange } = conversation;
    try {
      const answer = await api.get(`/api/conversations/${id}/members`);
      if (store.openId !== id) return;
      loaded = asked = `${id} ${lastChange}`;
      members = answer.members;
      drawMembers();
    } catch {
      asked = ""; // the panel keeps what it shows; the next change tries again
    }
  }

  function drawMembers() {
    const group = store.open;
    list.replaceChildren(...members.map((member) => {
      const words = [
        face(store, member, "small"),
        el("span", { class: "words" },
          el("b", { class: "one-line", "data-nickname": member.id, text: nameOf(member) }),
          el("span", { class: "one-line", text: `@${member.name}` })),
        member.role === "owner" && el("span", { class: "tag", text: strings.owner }),
      ];
      if (member.id === store.user.id) return el("li", { class: "member" }, ...words);
      return el("li", {}, el("button", {
        class: "member", type: "button", "aria-haspopup": "dialog",
        onclick: () => openPerson(store, member, { enter, failed: mishap, group }),
      }, ...words));
    }));
  }

  function draw() {
    const conversation = store.open;
    if (!conversation || !isOpen()) return;
    const { id, peer, peerDeleted, lastChange } = conversation;
    setText(byId("about-title"), peer ? strings.aboutPerson : strings.membersTitle);
    list.hidden = Boolean(peer);
    if (peer) {
      about.replaceChildren(
        el("div", { class: "person" },
          face(store, peer, "large"),
          el("h3", { text: nameOf(peer) }),
          el("p", { text: peerDeleted ? "" : `@${peer.name}` })),
        peerDeleted ? "" : el("div", { class: "column" }, ...personActions(store, peer, { enter, failed: mishap })));
      return;
    }
    drawGroup(conversation);
    const wanted = `${id} ${lastChange}`;
    if (!loaded.startsWith(`${id} `)) {
      loaded = asked = `${id} `;
      list.replaceChildren();
      fetchMembers();
    } else if (asked !== wanted && loaded !== `${id} `) {
      asked = wanted;
      load();
    } else drawMembers();
  }

  /** @param {import("../store.js").Conversation} group */
  function drawGroup(group) {
    const owner = group.role === "owner";
    const button = (/** @type {string} */ text, /** @type {() => void} */ onclick) =>
      el("button", { class: "button", type: "button", text, onclick });
    about.replaceChildren(
      el("h3", { text: group.title }),
      group.description && el("p", { text: group.description }),
      el("p", { class: "hint", text: group.public ? strings.isPublic : strings.isPrivate }),
      el("div", { class: "actions" },
        owner && button(strings.addMember, () => addMember(store, group)),
        owner && button(strings.editGroup, () => editGroup(store, group)),
        button(strings.leave, () => leaveGroup(store, group))));
  }

  store.subscribe(["open", "members", "contacts"], draw);
  return { draw };
}
