/**
 * Pending messages and edits: those without an ack, sent or waiting for a connection.
 *
 * Each has a `cid`. The server stores a message with the same cid once, so after a lost connection all of
 * them are sent again. They are in the browser's storage, which all tabs of the reader share, and survive a
 * closed tab: the next page, or the next connection of another one, takes them over and sends them. Two
 * tabs may send the same message, which the cid makes harmless.
 *
 * @typedef {{cid: string, conv: number, text: string, at: number,
 *            state: "pending"|"acked"|"failed", seq?: number, code?: string,
 *            reply?: number, edit?: number}} PendingMessage
 *   `reply` and `edit`: the seq of the message that it answers, or whose text it replaces
 */

import { readJson } from "../browser/storage.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_TIME = 8.64e15; // milliseconds: the last moment that a Date can be

/** Return whether a stored value is a message that can be sent; the server refuses a malformed frame. @param {any} message */
const isPendingMessage = (message) =>
  typeof message?.cid === "string" && UUID.test(message.cid) && Number.isSafeInteger(message.conv) && typeof message.text === "string"
  && Number.isFinite(message.at) && Math.abs(message.at) <= MAX_TIME && ["pending", "failed"].includes(message.state)
  && [message.reply, message.edit].every((seq) => seq === undefined || (Number.isSafeInteger(seq) && seq > 0));

/** Return the stored messages that can be sent, by cid. @param {string | null} text @returns {Map<string, PendingMessage>} */
function parse(text) {
  const kept = readJson({ getItem: () => text }, "");
  return new Map((Array.isArray(kept) ? kept : []).filter(isPendingMessage).map((message) => [message.cid, message]));
}

/** The pending messages of the page, in the order in which they were sent. */
export class Outbox {
  /** @type {Map<string, PendingMessage>} */
  #messages = new Map();
  /** The cids of messages that another page has added. @type {Set<string>} */
  #adopted = new Set();
  #storage;
  #key;
  #newId;

  /**
   * @param {import("../browser/storage.js").AnyStorage} storage
   * @param {string} key where in the storage
   * @param {() => string} [newId] makes a cid
   */
  constructor(storage, key, newId = uuidv7) {
    this.#storage = storage;
    this.#key = key;
    this.#newId = newId;
    this.adopt();
  }

  /** Take over the messages that other pages have stored. */
  adopt() {
    for (const [cid, message] of this.#stored()) {
      if (this.#messages.has(cid)) continue;
      this.#messages.set(cid, message);
      this.#adopted.add(cid);
    }
    this.#messages = new Map([...this.#messages].sort(([, a], [, b]) => a.at - b.at));
  }

  /**
   * Forget the messages that another page has removed from the storage: they were acknowledged or deleted there.
   * @param {string | null} before the stored value before the change @param {string | null} after
   */
  forgetRemoved(before, after) {
    const left = parse(after);
    for (const cid of parse(before).keys()) if (!left.has(cid)) this.#messages.delete(cid);
  }

  /** Remove all messages, here and in the storage. */
  clear() {
    this.#messages.clear();
    this.#storage.removeItem(this.#key);
  }

  /**
   * Add a message, or an edit; an edit replaces a refused one of the same message.
   * @param {number} conv @param {string} text @param {number} at milliseconds since the epoch
   * @param {{reply?: number, edit?: number}} [about]
   */
  add(conv, text, at, { reply, edit } = {}) {
    const refused = edit === undefined ? undefined : this.edits(conv).get(edit);
    if (refused?.state === "failed") this.remove(refused.cid);
    const message = /** @type {PendingMessage} */ ({ cid: this.#newId(), conv, text, at, state: "pending", reply, edit });
    this.#messages.set(message.cid, message);
    this.#save(message.cid);
    return message;
  }

  /** Mark a message as stored by the server. @param {string} cid @param {number} seq */
  ack(cid, seq) {
    return this.#change(cid, { state: "acked", seq, code: undefined });
  }

  /** Mark a message as refused by the server. @param {string} cid @param {string} code */
  fail(cid, code) {
    return this.#change(cid, { state: "failed", code });
  }

  /** Make a refused message pending again. After a conflict it gets a new id. @param {string} cid */
  retry(cid) {
    const message = this.#messages.get(cid);
    if (message?.code !== "conflict") return this.#change(cid, { state: "pending", code: undefined });
    this.remove(cid);
    return this.add(message.conv, message.text, message.at, message);
  }

  /** @param {string} cid */
  remove(cid) {
    this.#messages.delete(cid);
    this.#save(cid);
  }

  /** The messages to send after a reconnect, oldest first. */
  get unsent() {
    return [...this.#messages.values()].filter((message) => message.state === "pending");
  }

  /**
   * The messages that a conversation shows below its history. Those of another page are left out while they
   * are in flight: their event may come before their ack, and would be shown beside them.
   * @param {number} conv @param {boolean} connected whether all pending messages are in flight
   */
  forConversation(conv, connected = false) {
    return [...this.#messages.values()].filter((message) => message.conv === conv && message.edit === undefined
      && !(connected && message.state === "pending" && this.#adopted.has(message.cid)));
  }

  /** Return the newest pending edit of each message, by its seq. @param {number} conv @returns {Map<number, PendingMessage>} */
  edits(conv) {
    const edits = new Map();
    for (const message of this.#messages.values()) if (message.conv === conv && message.edit !== undefined) edits.set(message.edit, message);
    return edits;
  }

  /**
   * Remove the messages that are in the timeline now.
   * @param {number} conv
   * @param {(seq: number) => boolean} isShown
   */
  prune(conv, isShown) {
    for (const { cid, conv: its, seq } of this.#messages.values()) {
      if (its === conv && seq !== undefined && isShown(seq)) this.#messages.delete(cid);
    }
  }

  /** @param {string} cid @param {Partial<PendingMessage>} change */
  #change(cid, change) {
    const message = this.#messages.get(cid);
    if (!message) return undefined;
    Object.assign(message, change);
    this.#save(cid);
    return message;
  }

  /** Store one message as it is now; those of other pages stay as they are. @param {string} cid */
  #save(cid) {
    const stored = this.#stored();
    const message = this.#messages.get(cid);
    if (message && message.state !== "acked") stored.set(cid, message);
    else stored.delete(cid);
    this.#storage.setItem(this.#key, JSON.stringify([...stored.values()]));
  }

  #stored() {
    return parse(this.#storage.getItem(this.#key));
  }
}

/** Return a UUID of version 7 (RFC 9562). It begins with the time in milliseconds, so the database's index
 * grows at its end, and not at a random place for each message. */
function uuidv7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let at = Date.now(), i = 5; i >= 0; i -= 1, at = Math.floor(at / 256)) bytes[i] = at % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
