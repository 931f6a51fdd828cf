/** The rows of the log that are in the page: a window over the history, and what is not yet sent. */

import { avatar, groupAvatar } from "../accounts/avatar.js";
import { zone } from "../browser/clock.js";
import { el } from "../browser/dom.js";
import { isShown } from "../conversations/event_text.js";
import { strings } from "../i18n/strings.js";
import { draftRow, eventRow } from "./message_row.js";

/** @typedef {import("../conversations/store.js").Conversation} Conversation */
/** @typedef {import("../conversations/timeline.js").Timeline} Timeline */
/** @typedef {{top: number, bottom: number, fresh: number | null}} Range `fresh`: above it stands the "new messages" line */

export class Rows {
  element = el("div", { class: "rows" });
  #store;
  #outbox;
  #sync;
  #head = el("div");
  #tail = el("div");
  /** @type {Map<number, HTMLElement>} by seq */
  #shown = new Map();
  #headState = "";
  #tailState = "";

  /**
   * @param {import("../conversations/store.js").Store} store
   * @param {import("../realtime/outbox.js").Outbox} outbox
   * @param {import("../realtime/sync.js").Sync} sync
   */
  constructor(store, outbox, sync) {
    this.#store = store;
    this.#outbox = outbox;
    this.#sync = sync;
  }

  get isEmpty() {
    return this.#shown.size === 0;
  }

  /** @param {number} seq */
  at(seq) {
    return this.#shown.get(seq);
  }

  /** Where a row ends on the screen. @param {number} seq */
  bottomOf(seq) {
    return this.#shown.get(seq)?.getBoundingClientRect().bottom ?? 0;
  }

  /** The first row that ends below a line on the screen. @param {number} edge @param {Range} range */
  firstBelow(edge, { top, bottom: last }) {
    for (const seq of [...this.#shown.keys()].sort((a, b) => a - b)) {
      const bottom = this.bottomOf(seq);
      if (bottom > edge && seq >= top && seq <= last) return { seq, bottom };
    }
    return null;
  }

  clear() {
    this.#shown.clear();
    this.element.replaceChildren(this.#head, this.#tail);
    this.#headState = this.#tailState = "";
  }

  /** @param {Conversation} conversation @param {Range} range */
  draw(conversation, range) {
    this.#drawEvents(conversation, range);
    this.#drawHead(conversation, range);
    this.#drawTail(conversation, range);
  }

  /** @param {Conversation} conversation @param {Range} range */
  #drawEvents({ timeline, isPrivate, peerRead }, { top, bottom, fresh }) {
    for (const [seq, row] of this.#shown) {
      if (seq >= top && seq <= bottom) continue;
      row.remove();
      this.#shown.delete(seq);
    }
    const me = this.#store.user.id;
    /** @type {ChildNode} */
    let next = this.#tail;
    for (let seq = bottom; seq >= top; seq--) {
      const event = timeline.at(seq);
      if (!event) continue;
      const before = lineAbove(timeline, seq, isPrivate);
      const view = { me, isPrivate, fresh: seq === fresh, seen: event.from.id === me && seq <= peerRead };
      const state = `${before?.seq ?? 0} ${view.fresh} ${view.seen} ${event.text === null} ${zone()}`;
      let row = this.#shown.get(seq);
      if (row?.dataset.state !== state) {
        const drawn = eventRow(event, before, view);
        drawn.dataset.state = state;
        if (row) row.replaceWith(drawn);
        else next.before(drawn);
        this.#shown.set(seq, drawn);
        row = drawn;
      }
      next = row;
    }
  }

  /** What stands above the oldest row. @param {Conversation} conversation @param {Range} range */
  #drawHead({ id, title, description, peer, public: isPublic, timeline }, { top }) {
    const atBeginning = timeline.opened && top <= 1;
    const state = atBeginning ? `${title}\n${description}\n${isPublic}` : timeline.opened ? "older" : "loading";
    if (state === this.#headState) return;
    this.#headState = state;
    this.#head.className = atBeginning ? "beginning" : "older";
    if (!atBeginning) this.#head.textContent = timeline.opened ? strings.loadingOlder : strings.loading;
    else {
      this.#head.replaceChildren(
        peer ? avatar(peer, "large") : groupAvatar(id, title, "large"),
        el("h3", { text: title }),
        description ? el("p", { text: description }) : "",
        el("p", {
          text: peer ? strings.beginningPrivate(title) : isPublic ? strings.beginning : strings.beginningClosed,
        }));
    }
  }

  /** What is not yet part of the history. @param {Conversation} conversation @param {Range} range */
  #drawTail({ id, isPrivate, timeline }, { bottom }) {
    this.#outbox.settle(id, (seq) => seq <= timeline.last);
    const drafts = bottom === timeline.last && timeline.following ? this.#outbox.of(id) : [];
    const state = drafts.map((draft) => draft.cid + draft.state).join();
    if (state === this.#tailState) return;
    this.#tailState = state;
    const me = this.#store.user.id;
    /** @type {any} */
    let before = lineAbove(timeline, timeline.last + 1, isPrivate);
    this.#tail.replaceChildren(...drafts.map((draft) => {
      const row = draftRow(draft, before, {
        me,
        retry: (cid) => this.#sync.retry(cid),
        discard: (cid) => this.#sync.discard(cid),
      });
      before = { type: "message", from: { id: me }, at: draft.at };
      return row;
    }));
  }
}

/**
 * The event whose line stands above that of `seq`.
 * @param {Timeline} timeline @param {number} seq
 * @param {boolean} isPrivate
 */
function lineAbove(timeline, seq, isPrivate) {
  while (--seq >= timeline.first) {
    const event = timeline.at(seq);
    if (isShown(event, isPrivate)) return event;
  }
  return undefined;
}
