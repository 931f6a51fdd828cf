/** The bar above the open conversation, and the typing line. */

import { groupAvatar } from "../accounts/avatar.js";
import { byId, setText, updateChildren } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { avatarWithPresence } from "./person.js";

/** Create the bar above the open conversation. @param {import("../conversations/store.js").Store} store */
export function headerView(store) {
  const title = byId("talk-title");
  const picture = byId("talk-avatar");
  const people = byId("people");
  let shown = "";

  function draw() {
    const conversation = store.open;
    if (!conversation) return;
    const { id, peer, peerDeleted, members } = conversation;
    const online = peer && store.contacts.get(peer.id)?.online;
    setText(byId("talk-subtitle"),
      !peer ? strings.members(members) : peerDeleted ? "" : online ? strings.online : `@${peer.name}`);
    const label = peer ? strings.aboutPerson : strings.membersTitle;
    people.title = label;
    people.setAttribute("aria-label", label);
    const state = `${id} ${conversation.title} ${online}`;
    if (shown === state) return;
    shown = state;
    setText(title, conversation.title);
    updateChildren(picture, peer ? avatarWithPresence(store, peer) : groupAvatar(id, conversation.title));
  }

  store.subscribe(["open", "conversations", "contacts"], draw);
  store.subscribe(["typing", "open"], () => {
    setText(byId("typing"), store.openId === null ? "" : strings.typing(store.typingNames(store.openId)));
  });
  return { focus: () => title.focus({ preventScroll: true }) };
}
