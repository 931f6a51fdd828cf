/**
 * Keeps the store true to the server: frames in, messages out, and what was missed in between.
 *
 * After a reconnect the socket is live first. Then unacknowledged messages are sent again, and each
 * open history whose head moved fetches what came after its last event. Live events meanwhile go
 * into the same timelines, which put everything in order and drop doubles.
 */

import * as api from "../api.js";
import { Backfill } from "../conversations/history_loader.js";
import * as clock from "../browser/clock.js";
import { meet } from "../accounts/user_directory.js";
import { Connection } from "./connection.js";

/** @typedef {import("../conversations/store.js").Conversation} Conversation */

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
  /** The newest event that came of each conversation that is not loaded. @type {Map<number, number>} */
  #passed = new Map();
  /** @type {Map<number, Promise<boolean>>} single conversations that are being asked for */
  #looking = new Map();
  /** @type {Promise<void> | null} */
  #paging = null;
  /** The heads when the list was last asked for. @type {Record<string, number>} */
  #heads = {};
  /** @type {Set<string>} client ids that were sent again and not yet answered */
  #resent = new Set();
  /** @type {() => void} */
  #allAnswered = () => {};
  /** By a clock that only goes on: the reader's own may be put back. */
  #typedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #marking;

  /**
   * @param {import("../conversations/store.js").Store} store
   * @param {import("./outbox.js").Outbox} outbox
   * @param {string} url the socket's
   * @param {(conversation: Conversation, event: import("../conversations/timeline.js").ChatEvent) => void} [news]
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
      onFrame: (frame) => {
        if (frame.type === "hello" || frame.type === "pong") clock.heard(frame.at); // at once: it grows old
        if (store.ready) this.#take(frame);
        else this.#early.push(frame);
      },
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
      // As much as was loaded before: what is on further pages may have changed, too.
      while (state.next && state.conversations.length < this.#store.paged) {
        const page = await api.get("/api/conversations", { before: state.next });
        state.conversations.push(...page.conversations);
        state.next = page.next;
      }
      if (api.changes() !== before) {
        this.#refreshAgain = true; // what the reader has just changed may not be in it
        return;
      }
      this.#heads = state.heads;
      for (const id of this.#store.replace(state)) this.look(id);
      if (state.contacts_next !== null) this.#fetchContacts(state.contacts, state.contacts_next, before);
    } catch {
      if (this.#connection.isOpen) setTimeout(() => this.refresh(), TRY_AGAIN);
      return;
    }
    for (const frame of this.#early.splice(0)) this.#take(frame);
  }

  /**
   * The contacts after the first page.
   * @param {any[]} contacts the first page @param {number | null} next its cursor
   * @param {number} before how many changes there had been when it was asked for
   */
  async #fetchContacts(contacts, next, before) {
    try {
      while (next !== null) {
        const page = await api.get("/api/contacts", { after: next });
        if (api.changes() !== before) return void this.refresh();
        contacts = [...contacts, ...page.contacts];
        next = page.next;
        this.#store.setContacts(contacts, next === null);
      }
    } catch {
      // The next refresh asks again; until then the first ones are known.
    }
  }

  /** Load the next page of conversations. Calls while one is under way are that one. */
  more() {
    this.#paging ??= this.#fetchMore().finally(() => (this.#paging = null));
    return this.#paging;
  }

  async #fetchMore() {
    await this.#refreshing; // it says anew where the next page begins
    const { next } = this.#store;
    if (!next) return;
    try {
      const page = await api.get("/api/conversations", { before: next });
      if (this.#store.next === next) this.#store.add(page);
    } catch {
      // The reader can ask again.
    }
  }

  /**
   * Ask for one conversation: one that is not loaded, or of which it is not sure that it is ours.
   * @param {number} id
   * @returns {Promise<boolean>} whether it is the reader's
   */
  look(id) {
    const looking = this.#looking.get(id) ?? this.#fetchOne(id).finally(() => this.#looking.delete(id));
    this.#looking.set(id, looking);
    return looking;
  }

  /** @param {number} id */
  async #fetchOne(id) {
    try {
      let conversation;
      do ({ conversation } = await api.get(`/api/conversations/${id}`));
      while (conversation.head < (this.#passed.get(id) ?? 0)); // it was read before the event
      this.#passed.delete(id);
      this.#store.put(conversation);
      return true;
    } catch (error) {
      if (error instanceof api.ApiError && error.status === 404) this.#store.remove(id);
      return false;
    }
  }

  // What readers and writers do

  /** @param {Conversation} conversation @param {string} text */
  send(conversation, text) {
    this.#typedAt = -Infinity; // what is written next is told at once
    this.#transmit(this.#outbox.add(conversation.id, text.toWellFormed?.() ?? text, clock.now()));
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
    if (performance.now() - this.#typedAt < TYPING_EVERY) return;
    this.#typedAt = performance.now();
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
        if (frame.invitations.length !== this.#store.invitations.size
          || frame.invitations.some((/** @type {number} */ conv) => !this.#store.invitations.has(conv))) this.refresh();
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
        return conversation ? this.#event(conversation, frame) : this.#pass(frame);
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
      case "invited":
        return this.#store.setInvitations([frame, ...this.#store.invitations.values()]);
      case "invitation_ended":
        return this.#store.invitationEnded(frame.conv);
      case "presence":
        return this.#store.setPresence(frame.user, frame.online);
    }
  }

  /** An event of a conversation that is not loaded brings it here. @param {any} event */
  #pass({ conv, seq }) {
    if (!this.#store.next) return void this.refresh(); // all were: it is new
    this.#passed.set(conv, Math.max(seq, this.#passed.get(conv) ?? 0));
    this.look(conv);
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

  /** @param {Conversation} conversation @param {import("../conversations/timeline.js").ChatEvent[]} added */
  #learn(conversation, added) {
    for (const event of added) {
      meet(event.from);
      meet(event.user);
    }
    this.#apply(conversation);
    // Last: whatever becomes of the news, the page has the message.
    for (const event of added) if (event.type === "message") this.#news(conversation, event);
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
    const { conversations, next } = this.#store;
    let stale = false;
    for (const id of conversations.keys()) {
      if (id in heads) continue;
      if (next) this.look(id);
      else stale = true;
    }
    for (const [id, head] of Object.entries(heads)) {
      const conversation = conversations.get(Number(id));
      // One of a later page is of interest when something has happened in it.
      if (!conversation) stale ||= !next || head > (this.#heads[id] ?? 0);
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
