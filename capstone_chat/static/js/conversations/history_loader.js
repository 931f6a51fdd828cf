/** Loads pages of events into the timelines: the newest, older and newer ones, and missed events. */

import * as api from "../api.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./timeline.js").ChatEvent} ChatEvent */

const PAGE = 50; // events in a request
const GAP_PAGE = 100; // events in a request that fills a gap
const MAX_GAP = 500; // events; a larger gap is not filled, the page around the first unread event is loaded
const RETRY_DELAY = 2_000; // milliseconds

/** Fetches pages of events, with one request at a time for each conversation. */
export class HistoryLoader {
  #onEvents;
  #onSettled;
  #onStale;
  /** @type {Map<number, Promise<void>>} */
  #fetching = new Map();

  /**
   * @param {{onEvents: (conversation: Conversation, events: ChatEvent[]) => void,
   *          onSettled: (conversation: Conversation) => void, onStale: () => void}} listeners
   *   `onEvents`: missed events have arrived; `onSettled`: a fetch has ended, successfully or not;
   *   `onStale`: the list of conversations must be fetched again
   */
  constructor({ onEvents, onSettled, onStale }) {
    this.#onEvents = onEvents;
    this.#onSettled = onSettled;
    this.#onStale = onStale;
  }

  /**
   * Load the first page of a conversation, if none is loaded yet: the newest one, or the page around the
   * first unread message if the newest page would begin after that message.
   * @param {Conversation} conversation
   * @returns {Promise<void>}
   */
  open(conversation) {
    const { timeline } = conversation;
    const firstUnread = timeline.read + 1;
    const holdsFirstUnread = timeline.unread > 0 && firstUnread >= timeline.first && firstUnread <= timeline.last;
    if (timeline.opened && !timeline.following && !holdsFirstUnread) timeline.reset(); // a search has led into the past
    if (timeline.opened) return this.fillGap(conversation);
    if (timeline.unread && timeline.head - timeline.read > PAGE) return this.loadAround(conversation, firstUnread);
    return this.openNewest(conversation);
  }

  /**
   * Load the newest page of a conversation that has no page yet.
   * @param {Conversation} conversation
   * @returns {Promise<void>}
   */
  openNewest(conversation) {
    return this.#fetch(conversation, async ({ id, timeline }) => {
      const { events, head } = await api.get(`/api/conversations/${id}/events`, { limit: PAGE });
      timeline.open(events, head);
    }).then(() => this.fillGap(conversation));
  }

  /** Load the page before the oldest loaded one. @param {Conversation} conversation */
  loadOlder(conversation) {
    return this.#fetch(conversation, async ({ id, timeline }) => {
      if (!timeline.older) return;
      const query = { ...timeline.older, limit: PAGE };
      timeline.receive((await api.get(`/api/conversations/${id}/events`, query)).events);
    }).then(() => this.fillGap(conversation));
  }

  /**
   * Load the page around an event, which may be any number of pages back.
   * @param {Conversation} conversation @param {number} seq
   */
  loadAround(conversation, seq) {
    const work = async (/** @type {Conversation} */ { id, timeline }) => {
      const query = { after: Math.max(0, seq - PAGE / 2), limit: PAGE };
      const { events, head } = await api.get(`/api/conversations/${id}/events`, query);
      if (timeline.missing || head > timeline.head) this.#onStale(); // the skipped events have not been counted
      timeline.advanceHead(head);
      if (events.length) timeline.jump(events);
    };
    const running = this.#fetching.get(conversation.id) ?? Promise.resolve();
    return running.then(() => this.#fetch(conversation, work)).then(() => this.fillGap(conversation));
  }

  /** Load the page after the newest loaded one, after a jump into the past. @param {Conversation} conversation */
  loadNewer(conversation) {
    return this.#fetch(conversation, async ({ id, timeline }) => {
      if (!timeline.newer) return;
      const query = { ...timeline.newer, limit: PAGE };
      timeline.receive((await api.get(`/api/conversations/${id}/events`, query)).events);
    }).then(() => this.fillGap(conversation));
  }

  /**
   * Fetch the events between the end of the run and the head.
   * @param {Conversation} conversation
   * @returns {Promise<void>}
   */
  fillGap(conversation) {
    const { id, timeline } = conversation;
    if (timeline.missing && timeline.head - timeline.last > MAX_GAP) {
      timeline.reset();
      this.#onStale(); // the skipped events have not been counted
      return this.loadAround(conversation, timeline.read + 1);
    }
    if (!timeline.missing) return Promise.resolve();
    return this.#fetch(conversation, async () => {
      while (timeline.missing) {
        const query = { ...timeline.missing, limit: GAP_PAGE };
        const { events, head } = await api.get(`/api/conversations/${id}/events`, query);
        timeline.advanceHead(head);
        this.#onEvents(conversation, timeline.receive(events));
        if (events.length === 0) break;
      }
    });
  }

  /**
   * Run a fetch if none is in flight for the conversation. The next hello or pong repeats a failed one.
   * @param {Conversation} conversation
   * @param {(conversation: Conversation) => Promise<void>} work
   */
  #fetch(conversation, work) {
    const { id } = conversation;
    const running = this.#fetching.get(id);
    if (running) return running;
    const fetching = work(conversation)
      .catch((error) => {
        if (!(error instanceof api.ApiError)) throw error;
        if (error.status === 404) this.#onStale(); // the reader is no longer a member
        else if (!conversation.timeline.opened) setTimeout(() => this.open(conversation), RETRY_DELAY);
      })
      .finally(() => {
        this.#fetching.delete(id);
        this.#onSettled(conversation);
      });
    this.#fetching.set(id, fetching);
    return fetching;
  }
}
