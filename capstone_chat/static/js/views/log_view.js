/**
 * The log of the open conversation.
 *
 * Only the rows near the view are in the page: a window `top`..`bottom` over the timeline. It moves when the
 * reader scrolls and, at the end, when events arrive. Changes are made at most once in an animation frame and
 * keep the scroll position: at the end the view stays at the end, elsewhere no row moves.
 */

import { byId, setText } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { badgeText, unreadCount } from "./conversation_item.js";
import { attachMessageMenu } from "./message_menu.js";
import { MessageList } from "./message_list.js";

/** @typedef {import("../conversations/conversation.js").Conversation} Conversation */

const WINDOW = 100; // rows while the reader is at the end
const MAX_ROWS = 200; // rows in the page at any time
const WINDOW_STEP = 50; // rows that are added when the reader comes near an edge
const EDGE_PX = 600; // pixels from an edge
const END_TOLERANCE_PX = 2; // pixels, because scroll positions have fractions
const MAX_EVENTS_KEPT = 2_000; // events that stay in memory while the reader is at the end

/** The log: it chooses the window, scrolls, and marks messages as read. */
export class LogView {
  #store;
  #sync;
  #list;
  #menu;
  #log = byId("log");
  #latest = byId("latest");
  #latestCount = byId("latest-count");
  /** @type {Conversation | undefined} */
  #conversation;
  #top = 1;
  #bottom = 0;
  #atEnd = true;
  #scrollTop = 0;
  /** The height of the log at the last `#syncScroll`, in pixels. */
  #height = 0;
  /** The "new messages" line is above this seq. @type {number | null} */
  #newMessagesSeq = null;
  #hadUnread = false;
  /** True until the first page of the conversation is shown. */
  #initialRender = true;
  /** `first` of the timeline when an older page was last requested; prevents a second request. */
  #olderRequestedAt = 0;

  /**
   * @param {import("../conversations/store.js").Store} store
   * @param {import("../realtime/outbox.js").Outbox} outbox
   * @param {import("../realtime/sync.js").Sync} sync
   * @param {import("./message_menu.js").MessageActions} actions
   */
  constructor(store, outbox, sync, actions) {
    this.#store = store;
    this.#sync = sync;
    this.#list = new MessageList(store, outbox, sync);
    this.#menu = attachMessageMenu(this.#log, store, actions);
    this.#log.addEventListener("click", (/** @type {MouseEvent} */ { target }) => {
      const quote = /** @type {Element} */ (target).closest("[data-quoted]");
      if (quote) this.jump(Number(quote.getAttribute("data-quoted")));
    });
    this.#log.append(this.#list.element);
    this.#log.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#latest.addEventListener("click", () => this.scrollToEnd());
    new ResizeObserver(() => this.#syncScroll()).observe(this.#log);
    store.subscribe(["timeline", "open"], () => this.draw());
    const markRead = () => this.#conversation && this.#markRead();
    addEventListener("focus", markRead);
    document.addEventListener("visibilitychange", markRead);
  }

  /**
   * Show a conversation, or one of its events.
   * @param {Conversation | undefined} conversation
   * @param {number | null} seq null for its first unread message, or else its end
   */
  show(conversation, seq) {
    if (conversation !== this.#conversation) {
      this.#conversation = conversation;
      this.#reset();
      if (seq === null) this.draw();
    }
    if (seq !== null) this.jump(seq);
  }

  /** Remove all rows, before the first page of a history is drawn. */
  #reset() {
    this.#list.clear();
    this.#atEnd = this.#initialRender = true;
    [this.#newMessagesSeq, this.#hadUnread, this.#olderRequestedAt] = [null, false, 0];
    [this.#top, this.#bottom] = [1, 0];
  }

  /** Scroll to the newest message. */
  scrollToEnd() {
    const conversation = this.#conversation;
    const timeline = conversation?.timeline;
    if (!timeline) return;
    this.#atEnd = true;
    if (!timeline.following) {
      timeline.reset();
      this.#reset();
      this.#initialRender = false; // the end is wanted, not the first unread message
      this.#sync.history.openNewest(conversation);
    } else if (this.#bottom !== timeline.last) this.#top = Math.max(timeline.first, timeline.last - WINDOW + 1);
    this.draw();
    this.#log.focus({ preventScroll: true });
  }

  /** Scroll to a message; its page is loaded if necessary. @param {number} seq */
  async jump(seq) {
    const conversation = this.#conversation;
    if (!conversation) return;
    const { timeline } = conversation;
    if (seq < timeline.first || seq > timeline.last) await this.#sync.history.loadAround(conversation, seq);
    if (conversation !== this.#conversation) return;
    if (!timeline.at(seq)) { // there is no such event, or it could not be loaded
      this.#sync.history.open(conversation);
      return this.draw();
    }
    this.#atEnd = this.#initialRender = false;
    this.#top = Math.max(timeline.first, seq - WINDOW_STEP);
    this.#bottom = Math.min(timeline.last, seq + WINDOW_STEP);
    this.#render(conversation);
    const row = this.#list.at(seq);
    row?.scrollIntoView({ block: "center" });
    this.#syncScroll(); // not before the scroll: what is in view now would count as read,
    this.#extendWindow(); // and the window would move away from the row
    row?.setAttribute("tabindex", "-1");
    row?.focus({ preventScroll: true }); // the outline marks the row, and screen readers read the row
  }

  /** Scroll to the end, before the reader's own message is added there. */
  scrollToOwnMessage() {
    if (this.#conversation?.timeline.following === false) this.scrollToEnd();
    this.#atEnd = true;
    this.#newMessagesSeq = null;
  }

  /** Put the focus on the menu button of the reader's newest message that is in the page. */
  focusOwnMessage() {
    const buttons = this.#log.querySelectorAll(".mine .act");
    buttons[buttons.length - 1]?.focus();
  }

  draw() {
    const conversation = this.#conversation;
    if (!conversation) return;
    this.#render(conversation);
    this.#syncScroll();
    if (this.#olderRequestedAt !== conversation.timeline.first) this.#extendWindow();
  }

  /** Draw the rows of the window, and keep the scroll position. @param {Conversation} conversation */
  #render(conversation) {
    const { timeline } = conversation;
    this.#log.setAttribute("aria-busy", String(!timeline.opened));
    if (timeline.opened) this.#chooseWindow(timeline);
    const range = { top: this.#top, bottom: this.#bottom, newMessagesSeq: this.#newMessagesSeq };
    // The first row in view; after drawing, its lower edge is moved back to where it is now.
    const anchor = this.#atEnd ? null : this.#list.firstBelow(this.#log.getBoundingClientRect().top, range);
    this.#list.draw(conversation, range);
    this.#menu.placeTabStop();
    if (this.#initialRender && timeline.opened) this.#setInitialScroll();
    else if (anchor) this.#log.scrollTop += this.#list.bottomOf(anchor.seq) - anchor.bottom;
  }

  /** Choose the window. @param {import("../conversations/timeline.js").Timeline} timeline */
  #chooseWindow(timeline) {
    // A gap was too large to fill: the new run is around the first unread message and does not reach the head.
    if (this.#atEnd && !timeline.following) this.#initialRender = true;
    const firstUnread = timeline.read + 1;
    if (this.#initialRender) {
      if (timeline.unread || !timeline.following) this.#newMessagesSeq = firstUnread;
      const isFar = (timeline.unread && firstUnread <= timeline.last - WINDOW_STEP) || !timeline.following;
      if (isFar && firstUnread >= timeline.first && firstUnread <= timeline.last) {
        this.#atEnd = false;
        this.#top = Math.max(timeline.first, firstUnread - WINDOW_STEP);
      }
    }
    if (this.#atEnd) {
      timeline.trim(MAX_EVENTS_KEPT);
      this.#bottom = timeline.last;
      this.#top = Math.max(timeline.first, this.#bottom - WINDOW + 1);
    } else {
      this.#top = Math.max(this.#top, timeline.first);
      // New events are added below the view until the window is full.
      this.#bottom = Math.min(timeline.last, Math.max(this.#bottom, this.#top + MAX_ROWS - 1));
    }
    // The first new message that is not in view.
    if (timeline.unread && !this.#hadUnread && !(this.#present && this.#atEnd)) {
      this.#newMessagesSeq = firstUnread;
    }
  }

  /** Scroll a conversation that was just opened to the "new messages" line, or else to the end. */
  #setInitialScroll() {
    this.#initialRender = false;
    const line = this.#log.querySelector(".new-messages");
    this.#log.scrollTop = this.#log.scrollHeight;
    if (!line) return;
    const above = line.getBoundingClientRect().top - this.#log.getBoundingClientRect().top - 24;
    if (above >= 0) return;
    this.#log.scrollTop += above;
    this.#atEnd = false;
  }

  /** Scroll to the end again if the reader was there; otherwise show how many messages are below. */
  #syncScroll() {
    if (this.#atEnd) this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrollTop = this.#log.scrollTop;
    this.#height = this.#log.clientHeight;
    this.#markRead();
    const { timeline } = this.#conversation ?? {};
    this.#latest.hidden = this.#atEnd;
    this.#latest.setAttribute("aria-label", timeline?.unread ? strings.latestUnread(...unreadCount(timeline)) : strings.latest);
    setText(this.#latestCount, timeline?.unread ? badgeText(timeline) : "");
  }

  get #remaining() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
  }

  #onScroll() {
    const timeline = this.#conversation?.timeline;
    if (!timeline?.opened) return;
    // A change of the height (composer, banner, keyboard of a phone) moves the position, too; the reader did not.
    if (this.#atEnd && this.#log.clientHeight !== this.#height) return this.#syncScroll();
    const delta = this.#log.scrollTop - this.#scrollTop;
    const reachedEnd = timeline.following && this.#bottom === timeline.last && this.#remaining < END_TOLERANCE_PX;
    const atEnd = reachedEnd || (this.#atEnd && delta >= 0);
    this.#scrollTop = this.#log.scrollTop;
    if (atEnd !== this.#atEnd) {
      this.#atEnd = atEnd;
      this.#syncScroll();
    }
    this.#extendWindow();
    this.#markRead();
  }

  /** Move the window when the reader comes near its edge, and load further history. */
  #extendWindow() {
    const conversation = this.#conversation;
    if (!conversation?.timeline.opened || this.#log.clientHeight === 0) return;
    const { timeline } = conversation;
    if (this.#log.scrollTop < EDGE_PX) {
      if (this.#top > timeline.first) {
        if (this.#atEnd && this.#remaining >= END_TOLERANCE_PX) this.#atEnd = false;
        if (this.#atEnd) return;
        this.#top = Math.max(timeline.first, this.#top - WINDOW_STEP);
        this.#bottom = Math.min(this.#bottom, this.#top + MAX_ROWS - 1);
        this.#store.notify("timeline");
      } else if (timeline.older) {
        this.#olderRequestedAt = timeline.first; // if the request fails, the next scroll repeats it
        this.#sync.history.loadOlder(conversation);
      }
    } else if (this.#atEnd || this.#remaining >= EDGE_PX) {
      return;
    } else if (this.#bottom === timeline.last) {
      if (timeline.newer) this.#sync.history.loadNewer(conversation);
    } else {
      this.#bottom = Math.min(timeline.last, this.#bottom + WINDOW_STEP);
      this.#top = Math.max(this.#top, this.#bottom - MAX_ROWS + 1);
      this.#store.notify("timeline");
    }
  }

  /** Return whether the page is visible and has the focus. */
  get #present() {
    return document.visibilityState === "visible" && document.hasFocus() && this.#log.clientHeight > 0;
  }

  /** Mark all events as read that have been in view. */
  #markRead() {
    const conversation = this.#conversation;
    if (!conversation?.timeline.opened || this.#initialRender) return;
    if (this.#present) this.#sync.markRead(conversation, this.#newestSeen(conversation.timeline));
    this.#hadUnread = conversation.timeline.unread > 0;
  }

  /** Return the seq of the newest event that is or was in view. @param {import("../conversations/timeline.js").Timeline} timeline */
  #newestSeen({ read, last }) {
    if (this.#atEnd) return last;
    const edge = this.#log.getBoundingClientRect().bottom;
    for (let seq = this.#bottom; seq > read; seq--) {
      if (this.#list.at(seq) && this.#list.bottomOf(seq) <= edge + 1) return seq;
    }
    return read;
  }
}
