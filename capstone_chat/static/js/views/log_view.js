/**
 * The log of the open conversation.
 *
 * Only the rows near the view are in the page: a window `top`..`bottom` over the timeline, moved by
 * scrolling and, when the reader is at the end, by what arrives. All changes are made at most once a
 * frame, and the view keeps its place: at the end it stays at the end, elsewhere nothing moves.
 */

import { byId, setText } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { deleting } from "./message_actions.js";
import { badgeText } from "./conversation_item.js";
import { Rows } from "./message_list.js";

/** @typedef {import("../conversations/store.js").Conversation} Conversation */

const SPAN = 100; // rows when at the end
const MOST = 200; // rows in the page at any time
const STEP = 50; // rows more when the reader comes near an edge
const NEAR = 600; // pixels from an edge
const AT_END = 2; // pixels: fractions count as nothing
const KEPT = 2_000; // events that stay in memory while the reader is at the end

export class MessagesView {
  #store;
  #sync;
  #rows;
  #deleting;
  #log = byId("log");
  #latest = byId("latest");
  #latestCount = byId("latest-count");
  /** @type {Conversation | undefined} */
  #conversation;
  #top = 1;
  #bottom = 0;
  #stuck = true;
  #scrollTop = 0;
  /** Above this seq stands the "new messages" line. @type {number | null} */
  #fresh = null;
  #hadUnread = false;
  /** The first page of the conversation is not shown yet. */
  #arriving = true;
  /** The run began here when an older page was last asked for. */
  #askedBefore = 0;

  /**
   * @param {import("../conversations/store.js").Store} store
   * @param {import("../realtime/outbox.js").Outbox} outbox
   * @param {import("../realtime/sync.js").Sync} sync
   */
  constructor(store, outbox, sync) {
    this.#store = store;
    this.#sync = sync;
    this.#rows = new Rows(store, outbox, sync);
    this.#deleting = deleting(this.#log, () => store.openId);
    this.#log.append(this.#rows.element);
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#latest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#settle()).observe(this.#log);
    store.subscribe(["timeline", "open"], () => this.draw());
    const look = () => this.#conversation && this.#markRead();
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
  }

  /** Show another conversation. @param {Conversation | undefined} conversation */
  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation = conversation;
    this.#begin();
    this.draw();
  }

  /** Nothing is shown yet. */
  #begin() {
    this.#rows.clear();
    this.#stuck = this.#arriving = true;
    [this.#fresh, this.#hadUnread, this.#askedBefore] = [null, false, 0];
    [this.#top, this.#bottom] = [1, 0];
  }

  /** To the newest message. */
  toEnd() {
    const conversation = this.#conversation;
    const timeline = conversation?.timeline;
    if (!timeline) return;
    this.#stuck = true;
    if (!timeline.following) {
      timeline.reset();
      this.#begin();
      this.#sync.history.open(conversation);
    } else if (this.#bottom !== timeline.last) this.#top = Math.max(timeline.first, timeline.last - SPAN + 1);
    this.draw();
    this.#log.focus({ preventScroll: true });
  }

  /** To a message, wherever in the history it is. @param {number} seq */
  async jump(seq) {
    const conversation = this.#conversation;
    if (!conversation) return;
    const { timeline } = conversation;
    if (seq < timeline.first || seq > timeline.last) await this.#sync.history.around(conversation, seq);
    if (conversation !== this.#conversation || !timeline.at(seq)) return;
    this.#stuck = this.#arriving = false;
    this.#top = Math.max(timeline.first, seq - STEP);
    this.#bottom = Math.min(timeline.last, seq + STEP);
    this.draw();
    const row = this.#rows.at(seq);
    row?.scrollIntoView({ block: "center" });
    row?.setAttribute("tabindex", "-1");
    row?.focus({ preventScroll: true }); // its outline shows the place, and it is read out
  }

  /** One's own message is always seen. */
  follow() {
    if (this.#conversation?.timeline.following === false) this.toEnd();
    this.#stuck = true;
    this.#fresh = null;
  }

  /** To the newest message that can be deleted. @returns {boolean} whether there is one */
  focusNewestOwn() {
    return this.#deleting.focusNewest();
  }

  draw() {
    const conversation = this.#conversation;
    if (!conversation) return;
    const { timeline } = conversation;
    this.#log.setAttribute("aria-busy", String(!timeline.opened));
    if (timeline.opened) this.#place(timeline);
    const range = { top: this.#top, bottom: this.#bottom, fresh: this.#fresh };
    // The first row in view, so that it can be put back to where it ends now.
    const anchor = this.#stuck ? null : this.#rows.firstBelow(this.#log.getBoundingClientRect().top, range);
    this.#rows.draw(conversation, range);
    this.#deleting.placeTabStop();
    if (this.#arriving && timeline.opened) this.#arrive();
    else if (anchor) this.#log.scrollTop += this.#rows.bottomOf(anchor.seq) - anchor.bottom;
    this.#settle();
    if (this.#askedBefore !== timeline.first) this.#more();
  }

  /** Choose the window. @param {import("../conversations/timeline.js").Timeline} timeline */
  #place(timeline) {
    if (this.#arriving && timeline.unread) this.#fresh = timeline.read + 1;
    if (this.#stuck) {
      timeline.trim(KEPT);
      this.#bottom = timeline.last;
      this.#top = Math.max(timeline.first, this.#bottom - SPAN + 1);
    } else {
      this.#top = Math.max(this.#top, timeline.first);
      // Below the view there is room for what arrives until the window is full.
      this.#bottom = Math.min(timeline.last, Math.max(this.#bottom, this.#top + MOST - 1));
    }
    // The first news that the reader does not see at once.
    if (timeline.unread && !this.#hadUnread && !(this.#present && this.#stuck)) {
      this.#fresh = timeline.read + 1;
    }
  }

  /** First sight of a conversation: the "new messages" line, else the end. */
  #arrive() {
    this.#arriving = false;
    const line = this.#log.querySelector(".fresh");
    this.#log.scrollTop = this.#log.scrollHeight;
    if (!line) return;
    const above = line.getBoundingClientRect().top - this.#log.getBoundingClientRect().top - 24;
    if (above >= 0) return;
    this.#log.scrollTop += above;
    this.#stuck = false;
  }

  /** Stay at the end if the reader is there; say what is below if not. */
  #settle() {
    if (this.#stuck) this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrollTop = this.#log.scrollTop;
    this.#markRead();
    const unread = this.#conversation?.timeline.unread ?? 0;
    this.#latest.hidden = this.#stuck;
    this.#latest.setAttribute("aria-label", unread ? strings.latestUnread(unread) : strings.latest);
    setText(this.#latestCount, unread ? badgeText(unread) : "");
  }

  get #remaining() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
  }

  #scrolled() {
    const timeline = this.#conversation?.timeline;
    if (!timeline?.opened) return;
    const went = this.#log.scrollTop - this.#scrollTop;
    const atEnd = timeline.following && this.#bottom === timeline.last && this.#remaining < AT_END;
    const stuck = atEnd || (this.#stuck && went >= 0);
    this.#scrollTop = this.#log.scrollTop;
    if (stuck !== this.#stuck) {
      this.#stuck = stuck;
      this.#settle();
    }
    this.#more();
    this.#markRead();
  }

  /** Near an edge of the window: move it, and load what is not there yet. */
  #more() {
    const conversation = this.#conversation;
    if (!conversation?.timeline.opened || this.#log.clientHeight === 0) return;
    const { timeline } = conversation;
    if (this.#log.scrollTop < NEAR) {
      if (this.#top > timeline.first) {
        if (this.#stuck && this.#remaining >= AT_END) this.#stuck = false;
        if (this.#stuck) return;
        this.#top = Math.max(timeline.first, this.#top - STEP);
        this.#bottom = Math.min(this.#bottom, this.#top + MOST - 1);
        this.#store.changed("timeline");
      } else if (timeline.older) {
        this.#askedBefore = timeline.first; // if it fails, the reader's next scroll asks again
        this.#sync.history.older(conversation);
      }
    } else if (this.#stuck || this.#remaining >= NEAR) {
      return;
    } else if (this.#bottom === timeline.last) {
      if (timeline.newer) this.#sync.history.newer(conversation);
    } else {
      this.#bottom = Math.min(timeline.last, this.#bottom + STEP);
      this.#top = Math.max(this.#top, this.#bottom - MOST + 1);
      this.#store.changed("timeline");
    }
  }

  /** Someone looks at this page. */
  get #present() {
    return document.visibilityState === "visible" && document.hasFocus() && this.#log.clientHeight > 0;
  }

  /** All that has been in view is read. */
  #markRead() {
    const conversation = this.#conversation;
    if (!conversation?.timeline.opened || this.#arriving) return;
    if (this.#present) this.#sync.read(conversation, this.#seen(conversation.timeline));
    this.#hadUnread = conversation.timeline.unread > 0;
  }

  /** The newest event that is or was in view. @param {import("../conversations/timeline.js").Timeline} timeline */
  #seen({ read, last }) {
    if (this.#stuck) return last;
    const edge = this.#log.getBoundingClientRect().bottom;
    for (let seq = this.#bottom; seq > read; seq--) {
      if (this.#rows.at(seq) && this.#rows.bottomOf(seq) <= edge + 1) return seq;
    }
    return read;
  }
}
