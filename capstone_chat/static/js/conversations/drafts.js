/** Drafts: one for each conversation, stored in this browser until the reader logs out. */

import { readJson } from "../browser/storage.js";

/** The drafts of all conversations. */
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
