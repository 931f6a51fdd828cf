/**
 * The history of one conversation, whole and in order, whatever the order in which its parts come.
 *
 * Pure: no page, no clock, no network. Events carry a `seq` that counts without gaps, so every event
 * is kept by it: a second copy changes nothing, a hole is seen, and a page fetched later fills it.
 *
 * @typedef {{id: number, nickname: string, picture: string | null}} Person
 * @typedef {{type: "message"|"deleted"|"member"|"title"|"description"|"visibility", conv: number,
 *            seq: number, from: Person, at: number, text?: string | null, target?: number,
 *            change?: string, user?: Person}} ChatEvent
 */

/** So many events may be kept beside the run that is shown. */
const IDLE_LIMIT = 200;
/** The server counts unread messages among so many of the newest events, and no further back. */
const COUNTED = 100;

export class Timeline {
  #me;
  /** @type {Map<number, ChatEvent>} */
  #known = new Map();
  /** Deletions, by the seq of the message that each is about. @type {Map<number, ChatEvent>} */
  #deletions = new Map();
  #opened = false;
  /** The run is to reach the head; false after a jump into the past. */
  #live = true;
  /** What the server counted as unread, up to `head`. */
  #counted = { head: 0, unread: 0 };
  /** Unread among the events that came after that count. */
  #since = 0;

  /** The unbroken run that can be shown is `first`..`last`; it is empty when last < first. */
  first = 1;
  last = 0;
  /** The newest seq that the server has told of, by whatever way. */
  head = 0;
  /** Everything up to this seq has been read. Never goes back. */
  read = 0;
  /** The newest event known. @type {ChatEvent | null} */
  latest = null;
  /** True when the unread count can no longer be known without asking the server. */
  uncertain = false;

  /** @param {number} me the reader's user id: one's own messages are never unread */
  constructor(me) {
    this.#me = me;
  }

  /** True once a page was loaded: from then on the run grows at both ends. */
  get opened() {
    return this.#opened;
  }

  /** True while the run reaches the head, or is being brought there. */
  get following() {
    return this.#opened && this.#live;
  }

  /** More than the server counts is not known exactly. */
  get unread() {
    return this.#counted.unread + this.#since;
  }

  /** @param {number} seq @returns {ChatEvent | undefined} */
  at(seq) {
    return this.#known.get(seq);
  }

  /**
   * What the server's list of conversations says.
   * @param {{head: number, read: number, unread: number, last: ChatEvent | null}} summary
   */
  summary({ head, read, unread, last }) {
    const mine = this.read;
    this.read = read;
    this.#counted = { head, unread };
    this.head = Math.max(this.head, head);
    this.uncertain = false;
    if (last && last.seq >= (this.latest?.seq ?? 0)) this.latest = last;
    this.#recount();
    this.mark(mine); // read here, but the server had not heard of it yet
  }

  /**
   * Events from the socket or from a fetched page: in any order, any number of times.
   * @param {ChatEvent[]} events
   * @returns {ChatEvent[]} those that were not known before
   */
  receive(events) {
    const wasWhole = this.#isWhole;
    const inRun = Math.max(0, this.last - this.first + 1);
    if (!this.following && this.#known.size - inRun > IDLE_LIMIT) this.#fold();
    const added = events.filter((event) => {
      if (this.#known.has(event.seq)) return false;
      const kept = this.#deletions.has(event.seq) ? { ...event, text: null } : event;
      this.#known.set(event.seq, kept);
      if (event.seq > (this.latest?.seq ?? 0)) this.latest = kept;
      if (this.#isUnread(kept)) this.#since += 1;
      if (event.type === "deleted") this.#delete(event);
      return true;
    });
    for (const { seq } of events) this.head = Math.max(this.head, seq);
    if (this.#opened) this.#grow();
    if (!wasWhole && this.#isWhole) this.#recount();
    return added;
  }

  /**
   * The newest page: from here on the run is anchored and grows at both ends.
   * @param {ChatEvent[]} events ascending
   * @param {number} head
   */
  open(events, head) {
    this.head = Math.max(this.head, head);
    if (!this.following) {
      this.#opened = this.#live = true;
      this.first = (events[0]?.seq ?? head + 1);
      this.last = this.first - 1;
    }
    return this.receive(events);
  }

  /**
   * A page from somewhere in the past: from here on the run is around it, and what comes at the head
   * is counted but not shown, until the reader has come down to it.
   * @param {ChatEvent[]} events ascending, at least one
   */
  jump(events) {
    this.reset();
    this.#opened = true;
    this.#live = false;
    this.first = events[0].seq;
    this.last = this.first - 1;
    return this.receive(events);
  }

  /** The server's head, from a greeting, a pong or an ack. @param {number} head */
  heard(head) {
    this.head = Math.max(this.head, head);
  }

  /**
   * What must be fetched so that the end of the run is the head again.
   * @returns {{after: number} | null}
   */
  get missing() {
    return this.following && this.last < this.head ? { after: this.last } : null;
  }

  /** The page after the run, for a reader who is in the past. @returns {{after: number} | null} */
  get newer() {
    return this.#opened && !this.#live ? { after: this.last } : null;
  }

  /** The page before the run. @returns {{before: number} | null} null at the very beginning */
  get older() {
    return this.#opened && this.first > 1 ? { before: this.first } : null;
  }

  /**
   * Move the read mark.
   * @param {number} seq
   * @returns {boolean} whether it moved
   */
  mark(seq) {
    if (seq <= this.read) return false;
    if (this.#isWhole) {
      this.read = seq;
      this.#recount();
      return true;
    }
    const { head } = this.#counted;
    const start = Math.max(this.read, head - COUNTED) + 1;
    for (let i = start; i <= Math.min(seq, head) && this.#counted.unread > 0; i++) {
      const counted = this.#wasCounted(this.#known.get(i));
      if (counted === undefined) this.uncertain = true;
      else if (counted) this.#counted.unread -= 1;
    }
    this.read = seq;
    if (seq >= head) {
      this.#counted.unread = 0;
      this.uncertain = false;
    }
    this.#recount();
    return true;
  }

  /**
   * Forget the oldest part of the run, so that a long-open page does not grow without end.
   * @param {number} keep how many events stay
   */
  trim(keep) {
    while (this.last - this.first >= keep) this.#known.delete(this.first++);
  }

  /** Forget the history and begin with the next newest page: after so long away that filling in is a waste. */
  reset() {
    this.#opened = false;
    this.#live = true;
    this.first = 1;
    this.last = 0;
    this.#fold();
  }

  #grow() {
    while (this.#known.has(this.last + 1)) this.last += 1;
    while (this.#known.has(this.first - 1)) this.first -= 1;
    if (this.last >= this.head) this.#live = true;
  }

  /** Keep the count, and let go of the events that are not in the run. */
  #fold() {
    this.#counted = { head: this.head, unread: this.unread };
    this.#since = 0;
    for (const seq of this.#known.keys()) {
      if (seq < this.first || seq > this.last) this.#known.delete(seq);
    }
  }

  /** A message has no text any more, whether it is here already or comes later. @param {ChatEvent} event */
  #delete(event) {
    const { target = 0 } = event;
    this.#deletions.set(target, event);
    const message = this.#known.get(target);
    if (message) this.#known.set(target, { ...message, text: null });
    if (this.latest?.seq === target) this.latest = { ...this.latest, text: null };
    this.#recount();
  }

  /** Everything that is unread is in the run: it can be counted here. */
  get #isWhole() {
    return this.following && this.last >= this.head && this.first <= this.read + 1;
  }

  #recount() {
    if (this.#isWhole) {
      this.#counted = { head: this.read, unread: 0 };
      this.uncertain = false;
    }
    const { head } = this.#counted;
    this.#since = 0;
    for (const event of this.#known.values()) if (this.#isUnread(event)) this.#since += 1;
    // What the server had counted before it was deleted.
    for (const { seq, target = 0, from } of this.#deletions.values()) {
      const counted = target <= head && target > head - COUNTED && from.id !== this.#me;
      if (counted && seq > head && target > this.read) this.#since -= 1;
    }
  }

  /** @param {ChatEvent} event */
  #isOthers(event) {
    return event.type === "message" && event.from.id !== this.#me;
  }

  /** @param {ChatEvent} event */
  #isUnread(event) {
    return event.seq > this.#counted.head && event.seq > this.read && event.text !== null && this.#isOthers(event);
  }

  /** Whether the server counted this event as unread; undefined if that cannot be known. @param {ChatEvent | undefined} event */
  #wasCounted(event) {
    if (!event) return undefined;
    if (!this.#isOthers(event)) return false;
    if (event.text !== null) return true;
    const deletion = this.#deletions.get(event.seq);
    return deletion && deletion.seq > this.#counted.head;
  }
}
