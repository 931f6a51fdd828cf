/** Messages that were begun: one for each conversation, kept in this browser until it is logged out. */

import { readJson } from "../browser/storage.js";

export class Drafts {
  #storage;
  #key;
  /** @type {Record<string, string>} by the conversation's id */
  #drafts;

  /** @param {import("../browser/storage.js").AnyStorage} storage @param {string} key where in the storage */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    this.#drafts = this.#read();
  }

  /** @param {number} conv */
  get(conv) {
    return this.#drafts[conv] ?? "";
  }

  /** @param {number} conv @param {string} text */
  set(conv, text) {
    this.#drafts = this.#read(); // another tab may have written too
    if (text.trim()) this.#drafts[conv] = text;
    else delete this.#drafts[conv];
    this.#storage.setItem(this.#key, JSON.stringify(this.#drafts));
  }

  clear() {
    this.#drafts = {};
    this.#storage.removeItem(this.#key);
  }

  /** @returns {Record<string, string>} */
  #read() {
    const kept = Object.entries(readJson(this.#storage, this.#key) ?? {});
    return Object.fromEntries(kept.filter(([, text]) => typeof text === "string"));
  }
}
