/**
 * Pending messages: sent, or waiting for a connection, and not yet acknowledged.
 *
 * Each has a client id (`cid`); the server stores one message for it however often it is sent, so
 * after any doubt it is simply sent again. Kept in the tab's storage: a reload loses nothing.
 *
 * @typedef {{cid: string, conv: number, text: string, at: number,
 *            state: "pending"|"acked"|"failed", seq?: number, code?: string}} PendingMessage
 */

import { readJson } from "../browser/storage.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_TIME = 8.64e15; // milliseconds: the last moment that a Date can be

/** Whether a stored value is a message that can be sent; a malformed frame would be refused. @param {any} message */
const isPendingMessage = (message) =>
  typeof message?.cid === "string" && UUID.test(message.cid) && Number.isSafeInteger(message.conv) && typeof message.text === "string"
  && Number.isFinite(message.at) && Math.abs(message.at) <= MAX_TIME && ["pending", "failed"].includes(message.state);

export class Outbox {
  /** @type {Map<string, PendingMessage>} */
  #messages = new Map();
  #storage;
  #key;
  #newId;

  /**
   * @param {Pick<Storage, "getItem"|"setItem">} storage
   * @param {string} key where in the storage
   * @param {() => string} [newId] makes a client id
   */
  constructor(storage, key, newId = uuidv7) {
    this.#storage = storage;
    this.#key = key;
    this.#newId = newId;
    const kept = readJson(storage, key);
    for (const message of Array.isArray(kept) ? kept : []) if (isPendingMessage(message)) this.#messages.set(message.cid, message);
  }

  /** @param {number} conv @param {string} text @param {number} at milliseconds since the epoch */
  add(conv, text, at) {
    const message = /** @type {PendingMessage} */ ({ cid: this.#newId(), conv, text, at, state: "pending" });
    this.#messages.set(message.cid, message);
    this.#save();
    return message;
  }

  /** The server has stored it as `seq`. @param {string} cid @param {number} seq */
  ack(cid, seq) {
    return this.#change(cid, { state: "acked", seq, code: undefined });
  }

  /** The server has refused it. @param {string} cid @param {string} code */
  fail(cid, code) {
    return this.#change(cid, { state: "failed", code });
  }

  /** Make a refused message pending again. After a conflict it gets a new id. @param {string} cid */
  retry(cid) {
    const message = this.#messages.get(cid);
    if (message?.code !== "conflict") return this.#change(cid, { state: "pending", code: undefined });
    this.remove(cid);
    return this.add(message.conv, message.text, message.at);
  }

  /** @param {string} cid */
  remove(cid) {
    this.#messages.delete(cid);
    this.#save();
  }

  /** The messages to send after a reconnect, oldest first. */
  get unsent() {
    return [...this.#messages.values()].filter((message) => message.state === "pending");
  }

  /**
   * The messages that a conversation shows below its history.
   * @param {number} conv
   */
  forConversation(conv) {
    return [...this.#messages.values()].filter((message) => message.conv === conv);
  }

  /**
   * Drop the messages that are part of the history now.
   * @param {number} conv
   * @param {(seq: number) => boolean} isShown
   */
  prune(conv, isShown) {
    for (const message of this.forConversation(conv)) {
      if (message.seq !== undefined && isShown(message.seq)) this.#messages.delete(message.cid);
    }
  }

  /** @param {string} cid @param {Partial<PendingMessage>} change */
  #change(cid, change) {
    const message = this.#messages.get(cid);
    if (!message) return undefined;
    Object.assign(message, change);
    this.#save();
    return message;
  }

  #save() {
    const kept = [...this.#messages.values()].filter((message) => message.state !== "acked");
    this.#storage.setItem(this.#key, JSON.stringify(kept));
  }
}

/** A UUID of version 7 (RFC 9562): it begins with the time in milliseconds, so the database's index
 * grows at its end, and not somewhere else for each message. */
function uuidv7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let at = Date.now(), i = 5; i >= 0; i -= 1, at = Math.floor(at / 256)) bytes[i] = at % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
