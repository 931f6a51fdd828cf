/** One conversation in the list. Its element is changed in place, so that focus and pointer keep their target. */

import { groupAvatar } from "../accounts/avatar.js";
import { el, setText } from "../browser/dom.js";
import { href, navigate } from "../browser/router.js";
import { previewLine } from "../conversations/event_text.js";
import { strings } from "../i18n/strings.js";
import { hasInk } from "../text/visible_text.js";
import { avatarWithPresence } from "./person.js";
import { setWhen } from "./when.js";

const MAX_UNREAD_SHOWN = 99; // unread messages that are counted exactly

/**
 * Return the number of unread messages to show, and whether there may be more.
 * @param {import("../conversations/timeline.js").Timeline} timeline
 * @returns {[number, boolean]}
 */
export const unreadCount = ({ unread, unreadIsLowerBound }) =>
  [Math.min(unread, MAX_UNREAD_SHOWN), unread > MAX_UNREAD_SHOWN || unreadIsLowerBound];

/** Return the text of the badge of unread messages. @param {import("../conversations/timeline.js").Timeline} timeline */
export function badgeText(timeline) {
  const [count, more] = unreadCount(timeline);
  return more ? `${count}+` : String(count);
}

/** The element of one conversation in the list. */
export class ConversationItem {
  #line = el("span", { class: "line one-line" });
  #name = el("span", { class: "name one-line" });
  #time = el("time");
  #badge = el("span", { class: "badge", "aria-hidden": "true", hidden: true });
  #spoken = el("span", { class: "spoken" });
  #link;
  #store;
  #drawnState = "";

  /** @param {import("../conversations/store.js").Store} store @param {import("../conversations/conversation.js").Conversation} conversation */
  constructor(store, conversation) {
    this.#store = store;
    this.conversation = conversation;
    this.#link = el("a", { class: "entry", href: href(conversation.id) });
    this.#link.addEventListener("click", (event) => {
      event.preventDefault();
      navigate(href(conversation.id));
    });
    this.element = el("li", {}, this.#link);
  }

  /** @param {string} draft of this conversation */
  draw(draft) {
    const { id, title, isPrivate, peer, timeline } = this.conversation;
    const { user, contacts, openId } = this.#store;
    const { latest, unread, unreadIsLowerBound } = timeline;
    const current = id === openId;
    const draftPreview = current || !hasInk(draft) ? "" : draft.trim();
    const online = peer && contacts.get(peer.id)?.online;
    const state = [title, latest?.seq, latest?.text, unread, unreadIsLowerBound, current, online, draftPreview].join("\n");
    if (state === this.#drawnState) return;
    this.#drawnState = state;
    this.#link.replaceChildren(
      peer ? avatarWithPresence(this.#store, peer) : groupAvatar(id, title),
      el("span", { class: "words" },
        el("span", { class: "top" }, this.#name, this.#time),
        el("span", { class: "bottom" }, this.#line, this.#badge, this.#spoken)),
    );
    setText(this.#name, title);
    if (draftPreview) this.#line.replaceChildren(el("span", { class: "draft-preview", text: `${strings.draft} ` }), draftPreview);
    else setText(this.#line, previewLine(latest, user.id, isPrivate));
    if (latest) setWhen(this.#time, latest.at, "shortTime");
    this.#badge.hidden = unread === 0;
    setText(this.#badge, badgeText(timeline));
    setText(this.#spoken, unread ? strings.unread(...unreadCount(timeline)) : "");
    this.#link.classList.toggle("unread", unread > 0);
    if (current) this.#link.setAttribute("aria-current", "page");
    else this.#link.removeAttribute("aria-current");
  }
}
