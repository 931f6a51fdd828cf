/** Fetches pages of histories into their timelines: the newest, older ones, and what was missed. */

import * as api from "../api.js";

/** @typedef {import("./store.js").Conversation} Conversation */
/** @typedef {import("./timeline.js").ChatEvent} ChatEvent */

const PAGE = 50;
const CATCH_UP_PAGE = 100;
const TOO_FAR_BEHIND = 500; // events; from here on a fresh page is better than filling in
const TRY_AGAIN = 2_000; // milliseconds

export class Backfill {
  #added;
  #ended;
  #stale;
  /** @type {Map<number, Promise<void>>} */
  #fetching = new Map();

  /**
   * @param {{added: (conversation: Conversation, events: ChatEvent[]) => void,
   *          ended: (conversation: Conversation) => void, stale: () => void}} listeners
   *   `added`: missed events have come; `ended`: a fetch has, well or not;
   *   `stale`: what the server says of the conversations must be asked for again
   */
  constructor({ added, ended, stale }) {
    this.#added = added;
    this.#ended = ended;
    this.#stale = stale;
  }

  /**
   * Load the newest page of a conversation, unless it is there.
   * @param {Conversation} conversation
   * @returns {Promise<void>}
   */
  open(conversation) {
    if (conversation.timeline.opened) return this.catchUp(conversation);
    return this.#fetch(conversation, async ({ id, timeline }) => {
      const { events, head } = await api.get(`/api/conversations/${id}/events`, { limit: PAGE });
      timeline.open(events, head);
    }).then(() => this.catchUp(conversation));
  }

  /** Load the page before the oldest that is here. @param {Conversation} conversation */
  older(conversation) {
    return this.#fetch(conversation, async ({ id, timeline }) => {
      if (!timeline.older) return;
      const query = { ...timeline.older, limit: PAGE };
      timeline.receive((await api.get(`/api/conversations/${id}/events`, query)).events);
    }).then(() => this.catchUp(conversation));
  }

  /**
   * Show the history around an event, however long ago it was.
   * @param {Conversation} conversation @param {number} seq
   */
  around(conversation, seq) {
    const work = async (/** @type {Conversation} */ { id, timeline }) => {
      const query = { after: Math.max(0, seq - PAGE / 2), limit: PAGE };
      const { events } = await api.get(`/api/conversations/${id}/events`, query);
      if (timeline.missing) this.#stale(); // what is now skipped has not been counted
      if (events.length) timeline.jump(events);
    };
    const running = this.#fetching.get(conversation.id);
    return running ? running.then(() => this.#fetch(conversation, work)) : this.#fetch(conversation, work);
  }

  /** Load the page after the newest that is here, for a reader in the past. @param {Conversation} conversation */
  newer(conversation) {
    return this.#fetch(conversation, async ({ id, timeline }) => {
      if (!timeline.newer) return;
      const query = { ...timeline.newer, limit: PAGE };
      timeline.receive((await api.get(`/api/conversations/${id}/events`, query)).events);
    }).then(() => this.catchUp(conversation));
  }

  /**
   * Fetch what came after the last event that is here.
   * @param {Conversation} conversation
   * @returns {Promise<void>}
   */
  catchUp(conversation) {
    const { id, timeline } = conversation;
    if (timeline.missing && timeline.head - timeline.last > TOO_FAR_BEHIND) {
      timeline.reset();
      this.#stale(); // what was skipped has not been counted
      return this.open(conversation);
    }
    if (!timeline.missing) return Promise.resolve();
    return this.#fetch(conversation, async () => {
      while (timeline.missing) {
        const query = { ...timeline.missing, limit: CATCH_UP_PAGE };
        const { events, head } = await api.get(`/api/conversations/${id}/events`, query);
        timeline.heard(head);
        this.#added(conversation, timeline.receive(events));
        if (events.length === 0) break;
      }
    });
  }

  /**
   * One fetch at a time for each conversation. A failed one is repeated by the next greeting or pong.
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
        if (error.status === 404) this.#stale(); // not ours any more
        else if (!conversation.timeline.opened) setTimeout(() => this.open(conversation), TRY_AGAIN);
      })
      .finally(() => {
        this.#fetching.delete(id);
        this.#ended(conversation);
      });
    this.#fetching.set(id, fetching);
    return fetching;
  }
}
