/**
 * Messages that are written but not yet acknowledged.
 *
 * Each has a client id (`cid`); the server stores one message for it however often it is sent, so
 * after any doubt it is simply sent again. Kept in the tab's storage: a reload loses nothing.
 *
 * @typedef {{cid: string, conv: number, text: string, at: number,
 *            state: "pending"|"acked"|"failed", seq?: number, code?: string}} Draft
 */

import { readJson } from "../browser/storage.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LATEST = 8.64e15; // milliseconds: the last moment that a Date can be

/** Whether what was stored can be shown and sent: a frame that is malformed would close the socket. @param {any} draft */
const isDraft = (draft) =>
  typeof draft?.cid === "string" && UUID.test(draft.cid) && Number.isSafeInteger(draft.conv) && typeof draft.text === "string"
  && Number.isFinite(draft.at) && Math.abs(draft.at) <= LATEST && ["pending", "failed"].includes(draft.state);

export class Outbox {
  /** @type {Map<string, Draft>} */
  #drafts = new Map();
  #storage;
  #key;
  #newId;

  /**
   * @param {Pick<Storage, "getItem"|"setItem">} storage
   * @param {string} key where in the storage
   * @param {() => string} [newId] makes a client id
   */
  constructor(storage, key, newId = uuid) {
    this.#storage = storage;
    this.#key = key;
    this.#newId = newId;
    const kept = readJson(storage, key);
    for (const draft of Array.isArray(kept) ? kept : []) if (isDraft(draft)) this.#drafts.set(draft.cid, draft);
  }

  /** @param {number} conv @param {string} text @param {number} at milliseconds since the epoch */
  add(conv, text, at) {
    const draft = /** @type {Draft} */ ({ cid: this.#newId(), conv, text, at, state: "pending" });
    this.#drafts.set(draft.cid, draft);
    this.#save();
    return draft;
  }

  /** The server has stored it as `seq`. @param {string} cid @param {number} seq */
  ack(cid, seq) {
    return this.#change(cid, { state: "acked", seq, code: undefined });
  }

  /** The server has refused it. @param {string} cid @param {string} code */
  fail(cid, code) {
    return this.#change(cid, { state: "failed", code });
  }

  /** Send a refused one again. After a conflict it needs a new id. @param {string} cid */
  retry(cid) {
    const draft = this.#drafts.get(cid);
    if (draft?.code !== "conflict") return this.#change(cid, { state: "pending", code: undefined });
    this.remove(cid);
    return this.add(draft.conv, draft.text, draft.at);
  }

  /** @param {string} cid */
  remove(cid) {
    this.#drafts.delete(cid);
    this.#save();
  }

  /** What is to be sent after a reconnect, oldest first. */
  get unsent() {
    return [...this.#drafts.values()].filter((draft) => draft.state === "pending");
  }

  /**
   * What the conversation shows below its history: all that is not yet part of it.
   * @param {number} conv
   */
  of(conv) {
    return [...this.#drafts.values()].filter((draft) => draft.conv === conv);
  }

  /**
   * Drop what has become part of the history.
   * @param {number} conv
   * @param {(seq: number) => boolean} isShown
   */
  settle(conv, isShown) {
    for (const draft of this.of(conv)) {
      if (draft.seq !== undefined && isShown(draft.seq)) this.#drafts.delete(draft.cid);
    }
  }

  /** @param {string} cid @param {Partial<Draft>} change */
  #change(cid, change) {
    const draft = this.#drafts.get(cid);
    if (!draft) return undefined;
    Object.assign(draft, change);
    this.#save();
    return draft;
  }

  #save() {
    const kept = [...this.#drafts.values()].filter((draft) => draft.state !== "acked");
    this.#storage.setItem(this.#key, JSON.stringify(kept));
  }
}

/** A UUID of version 7 (RFC 9562): it begins with the time in milliseconds, so the database's index
 * grows at its end, and not somewhere else for each message. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let at = Date.now(), i = 5; i >= 0; i -= 1, at = Math.floor(at / 256)) bytes[i] = at % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
