/** The rows of the log that are in the page: a window over the history, and the pending messages. */

import { avatar, groupAvatar } from "../accounts/avatar.js";
import { zone } from "../browser/clock.js";
import { el, updateChildren, updateNode } from "../browser/dom.js";
import { firstLine, isShown } from "../conversations/event_text.js";
import { strings } from "../i18n/strings.js";
import { eventRow, pendingRow } from "./message_row.js";

/** @typedef {import("../conversations/conversation.js").Conversation} Conversation */
/** @typedef {import("../conversations/timeline.js").Timeline} Timeline */
/** @typedef {{top: number, bottom: number, newMessagesSeq: number | null}} Range `newMessagesSeq`: the "new messages" line is above it */

/** The rows of the window, in the order of the timeline, and the pending messages below them. */
export class MessageList {
  element = el("div", { class: "rows" });
  #store;
  #outbox;
  #sync;
  #header = el("div");
  #footer = el("div");
  /** @type {Map<number, HTMLElement>} by seq */
  #shown = new Map();
  #headerState = "";
  #footerState = "";

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

  /** What each row needs of the reader and of the outbox. */
  get #actions() {
    return {
      me: this.#store.user.id,
      retry: (/** @type {string} */ cid) => this.#sync.retry(cid),
      discard: (/** @type {string} */ cid) => this.#sync.discard(cid),
    };
  }

  /** @param {number} seq */
  at(seq) {
    return this.#shown.get(seq);
  }

  /** Return the lower edge of a row on the screen, in pixels. @param {number} seq */
  bottomOf(seq) {
    return this.#shown.get(seq)?.getBoundingClientRect().bottom ?? 0;
  }

  /** Return the first row that ends below a line on the screen. @param {number} edge @param {Range} range */
  firstBelow(edge, { top, bottom: last }) {
    for (const seq of [...this.#shown.keys()].sort((a, b) => a - b)) {
      const bottom = this.bottomOf(seq);
      if (bottom > edge && seq >= top && seq <= last) return { seq, bottom };
    }
    return null;
  }

  clear() {
    this.#shown.clear();
    this.element.replaceChildren(this.#header, this.#footer);
    this.#headerState = this.#footerState = "";
  }

  /** @param {Conversation} conversation @param {Range} range */
  draw(conversation, range) {
    const { id, timeline } = conversation;
    this.#outbox.prune(id, (seq) => seq <= timeline.last);
    this.#drawEvents(conversation, range);
    this.#drawHeader(conversation, range);
    this.#drawFooter(conversation, range);
  }

  /** @param {Conversation} conversation @param {Range} range */
  #drawEvents({ id, timeline, isPrivate, peerRead }, { top, bottom, newMessagesSeq }) {
    const edits = this.#outbox.edits(id);
    for (const [seq, row] of this.#shown) {
      if (seq >= top && seq <= bottom) continue;
      row.remove();
      this.#shown.delete(seq);
    }
    const actions = this.#actions;
    /** @type {ChildNode} */
    let next = this.#footer;
    for (let seq = bottom; seq >= top; seq--) {
      const event = timeline.at(seq);
      if (!event) continue;
      const before = lineAbove(timeline, seq, isPrivate);
      const quote = timeline.quoteOf(event);
      const edit = edits.get(seq);
      const isFirstNew = seq === newMessagesSeq;
      const seen = event.from.id === actions.me && seq <= peerRead;
      const state = [before?.seq, isFirstNew, seen, event.text === null, event.edited, edit?.cid, edit?.state, zone(), quote && firstLine(quote)].join();
      let row = this.#shown.get(seq);
      if (row?.dataset.state !== state) {
        const drawn = eventRow(event, before, { ...actions, isFirstNew, isPrivate, seen, quote, edit });
        drawn.dataset.state = state;
        if (row) updateRow(row, drawn);
        else {
          next.before(drawn);
          this.#shown.set(seq, drawn);
          row = drawn;
        }
      }
      next = row;
    }
  }

  /** Draw the header above the oldest row. @param {Conversation} conversation @param {Range} range */
  #drawHeader({ id, title, description, peer, public: isPublic, timeline }, { top }) {
    const atBeginning = timeline.opened && top <= 1;
    const state = atBeginning ? `${title}\n${description}\n${isPublic}` : timeline.opened ? "older" : "loading";
    if (state === this.#headerState) return;
    this.#headerState = state;
    this.#header.className = atBeginning ? "beginning" : "older";
    if (!atBeginning) this.#header.textContent = timeline.opened ? strings.loadingOlder : strings.loading;
    else {
      this.#header.replaceChildren(
        peer ? avatar(peer, "large") : groupAvatar(id, title, "large"),
        el("h3", { text: title }),
        description ? el("p", { text: description }) : "",
        el("p", {
          text: peer ? strings.beginningPrivate(title) : isPublic ? strings.beginning : strings.beginningClosed,
        }));
    }
  }

  /** Draw the pending messages below the newest row. @param {Conversation} conversation @param {Range} range */
  #drawFooter({ id, isPrivate, timeline }, { bottom }) {
    const pending = bottom === timeline.last && timeline.following ? this.#outbox.forConversation(id, this.#store.connection === "open") : [];
    const state = pending.map((message) => message.cid + message.state).join();
    if (state === this.#footerState) return;
    this.#footerState = state;
    const actions = this.#actions;
    /** @type {any} */
    let before = lineAbove(timeline, timeline.last + 1, isPrivate);
    updateChildren(this.#footer, ...pending.map((message) => {
      const row = pendingRow(message, before, { ...actions, quote: timeline.at(message.reply ?? 0) });
      before = { type: "message", from: { id: actions.me }, at: message.at };
      return row;
    }));
  }
}

/** Update a row, and keep the focus in it. @param {HTMLElement} row @param {HTMLElement} drawn */
function updateRow(row, drawn) {
  const hadFocus = row.contains(document.activeElement);
  updateNode(row, drawn);
  if (hadFocus && !row.contains(document.activeElement)) focusRow(row);
}

/** Put the focus on the menu button of a row, or on the row itself. @param {HTMLElement | null | undefined} row */
export function focusRow(row) {
  const button = /** @type {HTMLElement | null | undefined} */ (row?.querySelector(".act"));
  if (!button) row?.setAttribute("tabindex", "-1");
  (button ?? row)?.focus({ preventScroll: true });
}

/**
 * Return the event before `seq` that is shown.
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
