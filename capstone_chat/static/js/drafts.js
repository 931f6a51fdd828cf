/** Messages that were begun: one for each conversation, kept in this browser until it is logged out. */

export class Drafts {
  #storage;
  #key;
  /** @type {Record<string, string>} by the conversation's id */
  #drafts;

  /** @param {Pick<Storage, "getItem"|"setItem"|"removeItem">} storage @param {string} key where in the storage */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    this.#drafts = this.#read();
  }

  /** @param {number} conv */
  of(conv) {
    return this.#drafts[conv] ?? "";
  }

  /** @param {number} conv @param {string} text */
  keep(conv, text) {
    this.#drafts = this.#read(); // another tab may have written too
    if (text.trim()) this.#drafts[conv] = text;
    else delete this.#drafts[conv];
    try {
      this.#storage.setItem(this.#key, JSON.stringify(this.#drafts));
    } catch {
      // A full or forbidden storage costs only the draft.
    }
  }

  clear() {
    this.#drafts = {};
    this.#storage.removeItem(this.#key);
  }

  /** @returns {Record<string, string>} */
  #read() {
    try {
      return JSON.parse(this.#storage.getItem(this.#key) ?? "{}");
    } catch {
      return {};
    }
  }
}
