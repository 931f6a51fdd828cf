/**
 * Keeps the store true to the server: frames in, messages out, and what was missed in between.
 *
 * After a reconnect the socket is live first. Then unacknowledged messages are sent again, and each
 * open history whose head moved fetches what came after its last event. Live events meanwhile go
 * into the same timelines, which put everything in order and drop doubles.
 */

import * as api from "./api.js";
import { Backfill } from "./backfill.js";
import { meet } from "./people.js";
import { Connection } from "./socket.js";

/** @typedef {import("./store.js").Conversation} Conversation */

const TRY_AGAIN = 2_000; // milliseconds
const WAIT_FOR_ACKS = 3_000;
const TYPING_EVERY = 3_000;
const READ_EVERY = 400;
const SESSION_ENDED = 3500;

export class Sync {
  #store;
  #outbox;
  #news;
  #connection;
  /** @type {any[]} frames that came before the first state */
  #early = [];
  /** @type {Promise<void> | null} */
  #refreshing = null;
  #refreshAgain = false;
  /** @type {Set<string>} client ids that were sent again and not yet answered */
  #resent = new Set();
  /** @type {() => void} */
  #allAnswered = () => {};
  #typedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #marking;

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./outbox.js").Outbox} outbox
   * @param {string} url the socket's
   * @param {(conversation: Conversation, event: import("./timeline.js").ChatEvent) => void} [news]
   *   called for each message that comes while the page is open
   */
  constructor(store, outbox, url, news = () => {}) {
    this.#store = store;
    this.#outbox = outbox;
    this.#news = news;
    this.history = new Backfill({
      added: (conversation, events) => this.#learn(conversation, events),
      ended: (conversation) => this.#apply(conversation),
      stale: () => this.refresh(),
    });
    this.#connection = new Connection(url, {
      onFrame: (frame) => (store.ready ? this.#take(frame) : this.#early.push(frame)),
      onState: (state) => {
        store.connection = state;
        store.changed("connection");
        if (state === "open" && !store.ready && !this.#refreshing) this.refresh();
      },
      onRefused: () => this.refresh(), // if the session has ended, this finds out
      onEnd: (code) => {
        if (code === SESSION_ENDED) return api.leave();
        store.connection = "refused";
        store.changed("connection");
      },
    });
  }

  /** One request for the state and one socket, at the same time. */
  start() {
    addEventListener("pagehide", () => this.#sendReads());
    this.#connection.connect();
    return this.refresh();
  }

  /** Ask for the list of conversations. Calls while one is under way become one more. */
  refresh() {
    if (this.#refreshing) this.#refreshAgain = true;
    this.#refreshing ??= this.#fetchState().finally(() => {
      this.#refreshing = null;
      if (this.#refreshAgain) this.refresh();
    });
    return this.#refreshing;
  }

  async #fetchState() {
    this.#refreshAgain = false;
    const before = api.changes();
    try {
      const state = await api.get("/api/state");
      if (api.changes() !== before) {
        this.#refreshAgain = true; // what the reader has just changed may not be in it
        return;
      }
      this.#store.replace(state);
    } catch {
      if (this.#connection.isOpen) setTimeout(() => this.refresh(), TRY_AGAIN);
      return;
    }
    for (const frame of this.#early.splice(0)) this.#take(frame);
  }

  // What readers and writers do

  /** @param {Conversation} conversation @param {string} text */
  send(conversation, text) {
    this.#typedAt = 0; // what is written next is told at once
    this.#transmit(this.#outbox.add(conversation.id, text.toWellFormed?.() ?? text, Date.now()));
    this.#store.changed("timeline", "conversations");
  }

  /** @param {string} cid */
  retry(cid) {
    const draft = this.#outbox.retry(cid);
    if (draft) this.#transmit(draft);
    this.#store.changed("timeline");
  }

  /** @param {string} cid */
  discard(cid) {
    this.#outbox.remove(cid);
    this.#store.changed("timeline");
  }

  /** The reader has seen a conversation up to `seq`. @param {Conversation} conversation @param {number} seq */
  read(conversation, seq) {
    if (!conversation.timeline.mark(seq)) return;
    this.#store.changed("conversations");
    this.#marking ??= setTimeout(() => {
      this.#marking = undefined;
      this.#sendReads();
    }, READ_EVERY);
  }

  /** @param {Conversation} conversation */
  typing({ id }) {
    if (Date.now() - this.#typedAt < TYPING_EVERY) return;
    this.#typedAt = Date.now();
    this.#connection.send({ type: "typing", conv: id });
  }

  // What the server says

  /** @param {any} frame */
  #take(frame) {
    const conversation = this.#store.conversations.get(frame.conv);
    switch (frame.type) {
      case "hello":
        this.#store.setUser(frame.user);
        this.#store.setOnline(frame.online);
        return void this.#resume(frame.heads);
      case "pong":
        return this.#compare(frame.heads);
      case "ack":
        // Of a conversation that is not followed, the greeting's heads may tell of more that was missed.
        if (conversation?.timeline.following) conversation.timeline.heard(frame.seq);
        this.#outbox.ack(frame.cid, frame.seq);
        this.#answered(frame.cid);
        return this.#store.changed("timeline");
      case "error":
        if (!frame.cid) return;
        this.#outbox.fail(frame.cid, frame.code);
        if (frame.code === "user_deleted") this.refresh(); // so that all of the page knows
        this.#answered(frame.cid);
        return this.#store.changed("timeline");
      case "message":
      case "deleted":
      case "member":
      case "title":
      case "description":
      case "visibility":
        return conversation ? this.#event(conversation, frame) : void this.refresh();
      case "read":
        if (!conversation) return;
        if (frame.user !== this.#store.user.id) {
          conversation.peerRead = Math.max(conversation.peerRead, frame.seq);
          return this.#store.changed("timeline");
        }
        conversation.timeline.mark(frame.seq);
        conversation.readHeard = Math.max(conversation.readHeard, frame.seq);
        conversation.readSent = Math.max(conversation.readSent, frame.seq);
        if (conversation.timeline.uncertain) this.refresh();
        return this.#store.changed("conversations");
      case "typing":
        if (frame.from.id !== this.#store.user.id) this.#store.startedTyping(frame.conv, frame.from);
        return;
      case "presence":
        return this.#store.setPresence(frame.user, frame.online);
    }
  }

  /** @param {Conversation} conversation @param {any} event */
  #event(conversation, event) {
    const { timeline } = conversation;
    const hole = event.seq > timeline.head + 1;
    this.#learn(conversation, timeline.receive([event]));
    if (timeline.missing) this.history.catchUp(conversation);
    else if (hole && !timeline.following) this.refresh();
    if (event.type === "message") this.#store.stoppedTyping(conversation.id, event.from.id);
  }

  /** @param {Conversation} conversation @param {import("./timeline.js").ChatEvent[]} added */
  #learn(conversation, added) {
    for (const event of added) {
      meet(event.from);
      meet(event.user);
      if (event.type === "message") this.#news(conversation, event);
    }
    this.#apply(conversation);
  }

  /** Let a conversation take in what comes next, as far as it is here. @param {Conversation} conversation */
  #apply(conversation) {
    const me = this.#store.user.id;
    for (let event; (event = conversation.timeline.at(conversation.asOf + 1)); ) {
      if (!conversation.apply(event, me)) continue;
      const out = (event.change === "left" || event.change === "removed") && event.user?.id === me;
      if (out) this.refresh();
      if (conversation.id === this.#store.openId) this.#store.changed("members", "open");
    }
    this.#store.changed("timeline", "conversations");
  }

  /** @param {Record<string, number>} heads */
  async #resume(heads) {
    this.#resent = new Set(this.#outbox.unsent.map(({ cid }) => cid));
    const answered = new Promise((resolve) => {
      this.#allAnswered = () => resolve(undefined);
      setTimeout(resolve, this.#resent.size ? WAIT_FOR_ACKS : 0);
    });
    for (const draft of this.#outbox.unsent) this.#transmit(draft);
    for (const conversation of this.#store.conversations.values()) conversation.readSent = conversation.readHeard;
    this.#sendReads();
    // With the acks known first, no message is for a moment both unsent and in the history.
    await answered;
    this.#compare(heads);
  }

  /** Fetch what the heads say was missed. @param {Record<string, number>} heads */
  #compare(heads) {
    let stale = Object.keys(heads).length !== this.#store.conversations.size;
    for (const [id, head] of Object.entries(heads)) {
      const conversation = this.#store.conversations.get(Number(id));
      if (!conversation) stale = true;
      else if (conversation.timeline.following) {
        conversation.timeline.heard(head);
        this.history.catchUp(conversation);
      } else if (head > conversation.timeline.head) stale = true;
    }
    if (stale) this.refresh();
  }

  /** @param {import("./outbox.js").Draft} draft */
  #transmit({ cid, conv, text }) {
    this.#connection.send({ type: "send", cid, conv, text });
  }

  /** Tell of the read marks that moved here. */
  #sendReads() {
    if (!this.#connection.isOpen) return;
    for (const conversation of this.#store.conversations.values()) {
      const { id, timeline } = conversation;
      if (timeline.read <= conversation.readSent) continue;
      conversation.readSent = timeline.read;
      this.#connection.send({ type: "read", conv: id, seq: timeline.read });
    }
  }

  /** @param {string} cid */
  #answered(cid) {
    this.#resent.delete(cid);
    if (this.#resent.size === 0) this.#allAnswered();
  }
}
