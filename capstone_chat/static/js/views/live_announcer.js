/** New messages of the open conversation, for screen readers. */

import { nameOf } from "../accounts/user_directory.js";
import { byId, setText } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { withoutMarks } from "../text/code.js";

const ANNOUNCE_INTERVAL = 1_500; // milliseconds: messages that come faster are announced together

/** Announce new messages of the open conversation to screen readers. @param {import("../conversations/store.js").Store} store */
export function liveAnnouncer(store) {
  const element = byId("announcer");
  /** @type {import("../conversations/conversation.js").Conversation | undefined} */
  let conversation;
  let announcedSeq = 0;
  let waiting = false;

  function announce() {
    waiting = false;
    if (!conversation) return;
    const { timeline } = conversation;
    const added = [];
    for (let seq = Math.max(announcedSeq + 1, timeline.first); seq <= timeline.last; seq++) {
      const event = timeline.at(seq);
      if (event?.type === "message" && event.text !== null && event.from.id !== store.user.id) added.push(event);
    }
    announcedSeq = timeline.last;
    if (added.length === 1) {
      setText(element, strings.announce(nameOf(added[0].from), withoutMarks(added[0].text ?? "")));
    } else if (added.length > 1) setText(element, strings.announceMany(added.length));
  }

  store.subscribe(["timeline", "open"], () => {
    const { open } = store;
    if (open !== conversation || !open?.timeline.following || announcedSeq === 0) {
      conversation = open;
      announcedSeq = open?.timeline.following ? open.timeline.last : 0; // loaded history is not announced
      element.textContent = "";
    } else if (open.timeline.last > announcedSeq && !waiting) {
      waiting = true;
      setTimeout(announce, ANNOUNCE_INTERVAL);
    }
  });
}
