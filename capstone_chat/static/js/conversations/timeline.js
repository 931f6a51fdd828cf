/**
 * The events of one conversation in their order, whatever the order in which they arrive.
 *
 * This module uses no page, no clock and no network. The `seq` of events counts without gaps, and events are
 * stored by it: a duplicate changes nothing, a gap is detected, and a page that is fetched later fills it.
 *
 * @typedef {{id: number, nickname: string, picture: string | null}} Person
 * @typedef {{seq: number, from: Person, text?: string | null, edited?: number}} Quote
 * @typedef {{type: "message"|"edited"|"deleted"|"member"|"title"|"description"|"visibility", conv: number,
 *            seq: number, from: Person, at: number, text?: string | null, target?: number,
 *            change?: string, user?: Person, reply?: Quote, edited?: number}} ChatEvent
 */

/** Maximum number of events that are kept outside the run. */
const MAX_EVENTS_OUTSIDE_RUN = 200;
/** The server counts unread messages among this number of the newest events only. */
const SERVER_UNREAD_WINDOW = 100;

/** The events of one conversation that the page holds, its run and its unread count. */
export class Timeline {
  #me;
  /** @type {Map<number, ChatEvent>} */
  #events = new Map();
  /** The deletions, by the seq of the deleted message. @type {Map<number, ChatEvent>} */
  #deletions = new Map();
  /** The newest edit of each message, by the seq of the message. @type {Map<number, ChatEvent>} */
  #edits = new Map();
  #opened = false;
  /** Whether the run is kept at the head; false after a jump into the past. */
  #followsHead = true;
  /** The server's count of unread messages up to `head`. */
  #serverUnread = { head: 0, unread: 0 };
  /** The number of unread messages after that `head`. */
  #unreadSinceBase = 0;

  /** The unbroken run that can be shown is `first`..`last`; it is empty when last < first. */
  first = 1;
  last = 0;
  /** The newest seq that is known, from any answer or frame. */
  head = 0;
  /** Everything up to this seq has been read. Never goes back. */
  read = 0;
  /** The newest event known that changes no other one, for the list. @type {ChatEvent | null} */
  latest = null;
  /** True when only the server can count the unread messages. */
  unreadIsStale = false;

  /** @param {number} me the reader's user id: one's own messages are never unread */
  constructor(me) {
    this.#me = me;
  }

  /** True once a page was loaded: from then on the run grows at both ends. */
  get opened() {
    return this.#opened;
  }

  /** True while the run ends at the head, or missed events up to the head are being fetched. */
  get following() {
    return this.#opened && this.#followsHead;
  }

  /** The number of unread messages; exact within SERVER_UNREAD_WINDOW. */
  get unread() {
    return this.#serverUnread.unread + this.#unreadSinceBase;
  }

  /** True if there may be more unread messages than `unread`, in front of those that the server has counted. */
  get unreadIsLowerBound() {
    const { head, unread } = this.#serverUnread;
    return unread > 0 && head - this.read > SERVER_UNREAD_WINDOW;
  }

  /** @param {number} seq @returns {ChatEvent | undefined} */
  at(seq) {
    return this.#events.get(seq);
  }

  /**
   * Apply a summary of the conversation from the API.
   * @param {{head: number, read: number, unread: number, last: ChatEvent | null}} summary
   */
  applySummary({ head, read, unread, last }) {
    const readHere = this.read;
    this.read = read;
    this.#serverUnread = { head, unread };
    this.head = Math.max(this.head, head);
    this.unreadIsStale = false;
    if (last && last.seq >= (this.latest?.seq ?? 0)) this.latest = this.#current(last);
    this.#recount();
    this.markRead(readHere); // read here, but not yet known to the server
  }

  /**
   * Add events from the socket or from a fetched page, in any order, any number of times.
   * @param {ChatEvent[]} events
   * @returns {ChatEvent[]} those that were not known before, with their newest texts
   */
  receive(events) {
    const wasWhole = this.#isWhole;
    const inRun = Math.max(0, this.last - this.first + 1);
    if (!this.following && this.#events.size - inRun > MAX_EVENTS_OUTSIDE_RUN) this.#discardOutsideRun();
    const added = [];
    for (const event of events) {
      if (this.#events.has(event.seq)) continue;
      const kept = this.#current(event);
      this.#events.set(event.seq, kept);
      added.push(kept);
      if (event.type === "edited" || event.type === "deleted") this.#change(event);
      else if (event.seq > (this.latest?.seq ?? 0)) this.latest = kept;
      if (this.#isUnread(kept)) this.#unreadSinceBase += 1;
    }
    for (const { seq } of events) this.head = Math.max(this.head, seq);
    if (this.#opened) this.#grow();
    if (!wasWhole && this.#isWhole) this.#recount();
    return added;
  }

  /**
   * Start the run with the newest page; from here on it grows at both ends.
   * @param {ChatEvent[]} events ascending
   * @param {number} head
   */
  open(events, head) {
    this.head = Math.max(this.head, head);
    if (!this.following) {
      this.#opened = this.#followsHead = true;
      this.first = (events[0]?.seq ?? head + 1);
      this.last = this.first - 1;
    }
    return this.receive(events);
  }

  /**
   * Start the run with a page from the past. Newer events are counted but not shown until the run has
   * grown to the head.
   * @param {ChatEvent[]} events ascending, at least one
   */
  jump(events) {
    this.reset();
    this.#opened = true;
    this.#followsHead = false;
    this.first = events[0].seq;
    this.last = this.first - 1;
    return this.receive(events);
  }

  /** Record the server's head, from a hello, a pong or an ack. @param {number} head */
  advanceHead(head) {
    this.head = Math.max(this.head, head);
  }

  /**
   * Return the query for the events between the run and the head, or null.
   * @returns {{after: number} | null}
   */
  get missing() {
    return this.following && this.last < this.head ? { after: this.last } : null;
  }

  /** Return the query for the page after the run, after a jump into the past. @returns {{after: number} | null} */
  get newer() {
    return this.#opened && !this.#followsHead ? { after: this.last } : null;
  }

  /** Return the query for the page before the run. @returns {{before: number} | null} null if the run begins at seq 1 */
  get older() {
    return this.#opened && this.first > 1 ? { before: this.first } : null;
  }

  /**
   * Move the read mark.
   * @param {number} seq
   * @returns {boolean} whether it moved
   */
  markRead(seq) {
    if (seq <= this.read) return false;
    if (this.#isWhole) {
      this.read = seq;
      this.#recount();
      return true;
    }
    const { head } = this.#serverUnread;
    const start = Math.max(this.read, head - SERVER_UNREAD_WINDOW) + 1;
    for (let i = start; i <= Math.min(seq, head) && this.#serverUnread.unread > 0; i++) {
      const counted = this.#wasCountedByServer(this.#events.get(i));
      if (counted === undefined) this.unreadIsStale = true;
      else if (counted) this.#serverUnread.unread -= 1;
    }
    this.read = seq;
    if (seq >= head) {
      this.#serverUnread.unread = 0;
      this.unreadIsStale = false;
    }
    this.#recount();
    return true;
  }

  /**
   * Drop the oldest part of the run, so that the memory of a page that stays open is bounded.
   * @param {number} keep how many events stay
   */
  trim(keep) {
    while (this.last - this.first >= keep) this.#events.delete(this.first++);
  }

  /** Drop the history; the run starts again with the next page. Used when the gap is too large to fill. */
  reset() {
    this.#opened = false;
    this.#followsHead = true;
    this.first = 1;
    this.last = 0;
    this.#discardOutsideRun();
  }

  #grow() {
    while (this.#events.has(this.last + 1)) this.last += 1;
    while (this.#events.has(this.first - 1)) this.first -= 1;
    if (this.last >= this.head) this.#followsHead = true;
  }

  /** Drop the events outside the run, but keep the unread count. */
  #discardOutsideRun() {
    this.#serverUnread = { head: this.head, unread: this.unread };
    this.#unreadSinceBase = 0;
    for (const seq of this.#events.keys()) {
      if (seq < this.first || seq > this.last) this.#events.delete(seq);
    }
  }

  /** Apply an edit or a deletion to its message, whether that is here already or arrives later. @param {ChatEvent} event */
  #change(event) {
    const { type, seq, target = 0 } = event;
    const byTarget = type === "deleted" ? this.#deletions : this.#edits;
    if (seq > (byTarget.get(target)?.seq ?? 0)) byTarget.set(target, event);
    const message = this.#events.get(target);
    if (message) this.#events.set(target, this.#current(message));
    if (this.latest?.seq === target) this.latest = this.#current(this.latest);
    if (type === "deleted") this.#recount();
  }

  /**
   * Return a message or a quote with the newest text known here. The server may have sent a newer one already:
   * `edited` says to which edit a text is due.
   * @template {Quote} T
   * @param {T} message
   * @returns {T}
   */
  #current(message) {
    if (message.text === null) return message;
    if (this.#deletions.has(message.seq)) return { ...message, text: null };
    const edit = this.#edits.get(message.seq);
    if (typeof edit?.text !== "string" || edit.seq <= (message.edited ?? 0)) return message;
    return { ...message, text: edit.text, edited: edit.seq };
  }

  /** Return the message that an event answers, as it is now. @param {ChatEvent} event @returns {Quote | undefined} */
  quoteOf({ reply }) {
    return reply && (this.#events.get(reply.seq) ?? this.#current(reply));
  }

  /** True if the run holds all unread events, so that they can be counted here. */
  get #isWhole() {
    return this.following && this.last >= this.head && this.first <= this.read + 1;
  }

  #recount() {
    if (this.#isWhole) {
      this.#serverUnread = { head: this.read, unread: 0 };
      this.unreadIsStale = false;
    }
    const { head } = this.#serverUnread;
    this.#unreadSinceBase = 0;
    for (const event of this.#events.values()) if (this.#isUnread(event)) this.#unreadSinceBase += 1;
    // Messages that the server counted and that were deleted after its count.
    for (const { seq, target = 0, from } of this.#deletions.values()) {
      const counted = target <= head && target > head - SERVER_UNREAD_WINDOW && from.id !== this.#me;
      if (counted && seq > head && target > this.read) this.#unreadSinceBase -= 1;
    }
  }

  /** @param {ChatEvent} event */
  #isFromOther(event) {
    return event.type === "message" && event.from.id !== this.#me;
  }

  /** @param {ChatEvent} event */
  #isUnread(event) {
    return event.seq > this.#serverUnread.head && event.seq > this.read && event.text !== null && this.#isFromOther(event);
  }

  /** Return whether the server counted this event as unread; undefined if that is unknown. @param {ChatEvent | undefined} event */
  #wasCountedByServer(event) {
    if (!event) return undefined;
    if (!this.#isFromOther(event)) return false;
    if (event.text !== null) return true;
    const deletion = this.#deletions.get(event.seq);
    return deletion && deletion.seq > this.#serverUnread.head;
  }
}
