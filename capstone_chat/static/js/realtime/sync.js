/**
 * Synchronizes the store with the server: handles frames, sends messages, loads missed events.
 *
 * After a reconnect, new events arrive first. Then pending messages are sent again, and for each loaded
 * timeline whose head has moved the events after its last one are fetched. New and fetched events go into the
 * same timelines, which order all events and drop duplicates.
 */

import { remember } from "../accounts/user_directory.js";
import * as api from "../api.js";
import * as clock from "../browser/clock.js";
import { HistoryLoader } from "../conversations/history_loader.js";
import { Connection } from "./connection.js";

/** @typedef {import("../conversations/conversation.js").Conversation} Conversation */

const RETRY_DELAY = 2_000; // milliseconds
const ACK_TIMEOUT = 3_000;
const TYPING_INTERVAL = 3_000;
const READ_INTERVAL = 400;
const SESSION_ENDED = 3500;
const PROTOCOL_VERSION = 2; // of PROTOCOL.md; a server with a greater one has a newer page

/** Connects the store, the outbox and the history loader with the server. */
export class Sync {
  #store;
  #outbox;
  #onMessage;
  #connection;
  /** @type {any[]} frames that arrived before the first state */
  #queuedFrames = [];
  /** @type {Promise<void> | null} */
  #refreshing = null;
  #refreshAgain = false;
  /** The newest seq received for each conversation that is not loaded. @type {Map<number, number>} */
  #unloadedSeqs = new Map();
  /** @type {Map<number, Promise<boolean>>} single conversations that are being loaded */
  #loading = new Map();
  /** @type {Promise<void> | null} */
  #loadingMore = null;
  /** The heads when the list was last fetched. @type {Record<string, number>} */
  #listedHeads = {};
  /** @type {Set<string>} cids of messages that were sent again and have no answer yet */
  #awaitingAck = new Set();
  /** @type {() => void} */
  #onAllAcked = () => {};
  /** By performance.now(), which is monotonic: the reader's clock may be set back. */
  #typingSentAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #readTimer;

  /**
   * @param {import("../conversations/store.js").Store} store
   * @param {import("./outbox.js").Outbox} outbox
   * @param {string} url of the WebSocket
   * @param {(conversation: Conversation, event: import("../conversations/timeline.js").ChatEvent) => void} [onMessage]
   *   called for each message that arrives while the page is open
   */
  constructor(store, outbox, url, onMessage = () => {}) {
    this.#store = store;
    this.#outbox = outbox;
    this.#onMessage = onMessage;
    this.history = new HistoryLoader({
      onEvents: (conversation, events) => this.#ingest(conversation, events),
      onSettled: (conversation) => this.#applyEvents(conversation),
      onStale: () => this.refresh(),
    });
    this.#connection = new Connection(url, {
      onFrame: (frame) => {
        if (frame.type === "hello" || frame.type === "pong") clock.setServerTime(frame.at); // at once, because the time of a queued frame is late
        if (store.ready) this.#handleFrame(frame);
        else this.#queuedFrames.push(frame);
      },
      onState: (state) => {
        store.connection = state;
        store.notify("connection", "timeline"); // with a connection, pending messages are in flight
        if (state === "open" && !store.ready && !this.#refreshing) this.refresh();
      },
      onRefused: () => this.refresh(), // the answer is 401 if the session has ended
      onEnd: (code) => {
        if (code === SESSION_ENDED) return api.redirectToLogin();
        store.connection = "refused";
        store.notify("connection");
      },
    });
  }

  /** Connect and fetch the state, both at the same time. */
  start() {
    addEventListener("pagehide", () => this.#sendReads());
    this.#connection.connect();
    return this.refresh();
  }

  /** Reconnect at once instead of after the delay. */
  reconnect() {
    this.#connection.probe();
  }

  /** Fetch the state. All calls during a fetch cause one more fetch together. */
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
    const before = api.mutationCount();
    try {
      const state = await api.get("/api/state");
      // As many pages as were loaded before: further pages may have changed, too.
      while (state.next && state.conversations.length < this.#store.loadedCount) {
        const page = await api.get("/api/conversations", { before: state.next });
        state.conversations.push(...page.conversations);
        state.next = page.next;
      }
      if (api.mutationCount() !== before) {
        this.#refreshAgain = true; // a change that the reader has just made may not be in it
        return;
      }
      this.#listedHeads = state.heads;
      for (const id of this.#store.replaceAll(state)) this.loadConversation(id);
      if (state.contacts_next !== null) this.#fetchContacts(state.contacts, state.contacts_next, before);
    } catch {
      if (this.#connection.isOpen) setTimeout(() => this.refresh(), RETRY_DELAY);
      return;
    }
    for (const frame of this.#queuedFrames.splice(0)) this.#handleFrame(frame);
  }

  /**
   * Fetch the contacts after the first page.
   * @param {any[]} contacts the first page @param {number | null} next its cursor
   * @param {number} before the mutation count when it was requested
   */
  async #fetchContacts(contacts, next, before) {
    try {
      while (next !== null) {
        const page = await api.get("/api/contacts", { after: next });
        if (api.mutationCount() !== before) return void this.refresh();
        contacts = [...contacts, ...page.contacts];
        next = page.next;
        this.#store.setContacts(contacts, next === null);
      }
    } catch {
      // The next refresh repeats the request; until then the first page is known.
    }
  }

  /** Load the next page of conversations. A call during a fetch returns the promise of that fetch. */
  loadMore() {
    this.#loadingMore ??= this.#fetchNextPage().finally(() => (this.#loadingMore = null));
    return this.#loadingMore;
  }

  async #fetchNextPage() {
    await this.#refreshing; // it sets the cursor of the next page
    const { next } = this.#store;
    if (!next) return;
    try {
      const page = await api.get("/api/conversations", { before: next });
      if (this.#store.next === next) this.#store.addPage(page);
    } catch {
      // The reader can repeat it.
    }
  }

  /**
   * Load one conversation that is not loaded, or whose membership is uncertain.
   * @param {number} id
   * @returns {Promise<boolean>} whether the reader is a member
   */
  loadConversation(id) {
    const loading = this.#loading.get(id) ?? this.#fetchConversation(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  /** @param {number} id */
  async #fetchConversation(id) {
    try {
      let conversation;
      do ({ conversation } = await api.get(`/api/conversations/${id}`));
      while (conversation.head < (this.#unloadedSeqs.get(id) ?? 0)); // the answer was read before the event
      this.#unloadedSeqs.delete(id);
      this.#store.upsert(conversation);
      return true;
    } catch (error) {
      if (error instanceof api.ApiError && error.status === 404) this.#store.remove(id);
      return false;
    }
  }

  // Actions of the reader

  /**
   * Send a message, or an edit of a message.
   * @param {Conversation} conversation @param {string} text
   * @param {{reply?: number, edit?: number}} [about] the seq of the message that it answers or edits
   */
  send(conversation, text, about) {
    this.#typingSentAt = -Infinity; // the next typing is sent at once
    this.#transmit(this.#outbox.add(conversation.id, text.toWellFormed?.() ?? text, clock.now(), about));
    this.#store.notify("timeline", "conversations");
  }

  /** @param {string} cid */
  retry(cid) {
    const message = this.#outbox.retry(cid);
    if (message) this.#transmit(message);
    this.#store.notify("timeline");
  }

  /** @param {string} cid */
  discard(cid) {
    this.#outbox.remove(cid);
    this.#store.notify("timeline");
  }

  /** Mark a conversation as read up to `seq`. @param {Conversation} conversation @param {number} seq */
  markRead(conversation, seq) {
    if (!conversation.timeline.markRead(seq)) return;
    this.#store.notify("conversations");
    this.#readTimer ??= setTimeout(() => {
      this.#readTimer = undefined;
      this.#sendReads();
    }, READ_INTERVAL);
  }

  /** @param {Conversation} conversation */
  typing({ id }) {
    if (performance.now() - this.#typingSentAt < TYPING_INTERVAL) return;
    this.#typingSentAt = performance.now();
    this.#connection.send({ type: "typing", conv: id });
  }

  // Frames of the server

  /** @param {any} frame */
  #handleFrame(frame) {
    const conversation = this.#store.conversations.get(frame.conv);
    switch (frame.type) {
      case "hello":
        this.#store.setUser(frame.user);
        this.#store.setOnline(frame.online);
        this.#store.outdated = frame.version > PROTOCOL_VERSION;
        this.#store.notify("connection");
        if (frame.invitations.length !== this.#store.invitations.size
          || frame.invitations.some((/** @type {number} */ conv) => !this.#store.invitations.has(conv))) this.refresh();
        return void this.#resend(frame.heads);
      case "pong":
        if (frame.online) this.#store.setOnline(frame.online);
        return this.#detectGaps(frame.heads);
      case "ack":
        // Without a loaded timeline the head stays: the heads of the hello must show which events are missing.
        if (conversation?.timeline.following) conversation.timeline.advanceHead(frame.seq);
        this.#outbox.ack(frame.cid, frame.seq);
        this.#onAcked(frame.cid);
        return this.#store.notify("timeline");
      case "error":
        if (!frame.cid) return;
        this.#outbox.fail(frame.cid, frame.code);
        if (frame.code === "user_deleted") this.refresh(); // so that the whole page shows it
        this.#onAcked(frame.cid);
        return this.#store.notify("timeline");
      case "message":
      case "edited":
      case "deleted":
      case "member":
      case "title":
      case "description":
      case "visibility":
        return conversation ? this.#onEvent(conversation, frame) : this.#onUnloadedEvent(frame);
      case "read":
        if (!conversation) return;
        if (frame.user !== this.#store.user.id) {
          conversation.peerRead = Math.max(conversation.peerRead, frame.seq);
          return this.#store.notify("timeline");
        }
        conversation.timeline.markRead(frame.seq);
        conversation.readConfirmed = Math.max(conversation.readConfirmed, frame.seq);
        conversation.readSent = Math.max(conversation.readSent, frame.seq);
        if (conversation.timeline.unreadIsStale) this.refresh();
        return this.#store.notify("conversations");
      case "typing":
        if (frame.from.id !== this.#store.user.id) this.#store.startedTyping(frame.conv, frame.from);
        return;
      case "user":
        return this.#store.setUser(frame.user);
      case "invited":
        return this.#store.setInvitations([frame, ...this.#store.invitations.values()]);
      case "invitation_ended":
        return this.#store.removeInvitation(frame.conv);
      case "presence":
        return this.#store.setPresence(frame.user, frame.online);
    }
  }

  /** Load the conversation of an event if it is not loaded. @param {any} event */
  #onUnloadedEvent({ conv, seq }) {
    if (!this.#store.next) return void this.refresh(); // all conversations were loaded, so this one is new
    this.#unloadedSeqs.set(conv, Math.max(seq, this.#unloadedSeqs.get(conv) ?? 0));
    this.loadConversation(conv);
  }

  /** @param {Conversation} conversation @param {any} event */
  #onEvent(conversation, event) {
    const { timeline } = conversation;
    const hasGap = event.seq > timeline.head + 1;
    this.#ingest(conversation, timeline.receive([event]));
    if (timeline.missing) this.history.fillGap(conversation);
    else if (hasGap && !timeline.following) this.refresh();
    if (event.type === "message") this.#store.stoppedTyping(conversation.id, event.from.id);
  }

  /** @param {Conversation} conversation @param {import("../conversations/timeline.js").ChatEvent[]} added */
  #ingest(conversation, added) {
    for (const event of added) {
      remember(event.from);
      remember(event.user);
    }
    this.#applyEvents(conversation);
    // The listener comes last: if it fails, the page has the message all the same.
    for (const event of added) if (event.type === "message") this.#onMessage(conversation, event);
  }

  /** Apply to a conversation the events after `appliedSeq`, up to the first one missing. @param {Conversation} conversation */
  #applyEvents(conversation) {
    const me = this.#store.user.id;
    for (let event; (event = conversation.timeline.at(conversation.appliedSeq + 1)); ) {
      if (!conversation.apply(event, me)) continue;
      const wasRemoved = (event.change === "left" || event.change === "removed") && event.user?.id === me;
      if (wasRemoved) this.refresh();
      if (conversation.id === this.#store.openId) this.#store.notify("members", "open");
    }
    this.#store.notify("timeline", "conversations");
  }

  /** Send pending messages and read marks again, then compare heads. @param {Record<string, number>} heads */
  async #resend(heads) {
    this.#outbox.adopt();
    this.#awaitingAck = new Set(this.#outbox.unsent.map(({ cid }) => cid));
    const allAcked = new Promise((resolve) => {
      this.#onAllAcked = () => resolve(undefined);
      setTimeout(resolve, this.#awaitingAck.size ? ACK_TIMEOUT : 0);
    });
    for (const message of this.#outbox.unsent) this.#transmit(message);
    for (const conversation of this.#store.conversations.values()) conversation.readSent = conversation.readConfirmed;
    this.#sendReads();
    // After the acks, so that no message is shown both as pending and in the history.
    await allAcked;
    this.#detectGaps(heads);
  }

  /** Compare heads, and fetch the events that were missed. @param {Record<string, number>} heads */
  #detectGaps(heads) {
    const { conversations, next } = this.#store;
    let stale = false;
    for (const id of conversations.keys()) {
      if (id in heads) continue;
      if (next) this.loadConversation(id);
      else stale = true;
    }
    for (const [id, head] of Object.entries(heads)) {
      const conversation = conversations.get(Number(id));
      // A conversation of a later page matters only if its head has moved.
      if (!conversation) stale ||= !next || head > (this.#listedHeads[id] ?? 0);
      else if (conversation.timeline.following) {
        conversation.timeline.advanceHead(head);
        this.history.fillGap(conversation);
      } else if (head > conversation.timeline.head) stale = true;
    }
    if (stale) this.refresh();
  }

  /** @param {import("./outbox.js").PendingMessage} message */
  #transmit({ cid, conv, text, reply, edit }) {
    this.#connection.send(edit ? { type: "edit", cid, conv, seq: edit, text } : { type: "send", cid, conv, text, reply });
  }

  /** Send the read marks that moved here. */
  #sendReads() {
    if (!this.#connection.isOpen) return;
    for (const conversation of this.#store.conversations.values()) {
      const { id, timeline } = conversation;
      if (timeline.read <= conversation.readSent) continue;
      conversation.readSent = timeline.read;
      this.#connection.send({ type: "read", conv: id, seq: timeline.read });
    }
  }

  /** Note that a message that was sent again has its answer, an ack or an error. @param {string} cid */
  #onAcked(cid) {
    this.#awaitingAck.delete(cid);
    if (this.#awaitingAck.size === 0) this.#onAllAcked();
  }
}
