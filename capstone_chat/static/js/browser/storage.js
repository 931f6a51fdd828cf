/**
 * The browser's storage, also where it is full, forbidden or absent.
 *
 * A browser that blocks storage throws a SecurityError already when `localStorage` is read (HTML, "Web
 * storage"); a full one throws a QuotaExceededError on `setItem`; an Android WebView may have null. A
 * value that the browser refuses is kept in memory until the page is closed.
 */

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} AnyStorage */

/** A storage that keeps in memory what the browser refuses to store. @implements {AnyStorage} */
export class FallbackStorage {
  #open;
  /** The refused values by key; null stands for a removal. @type {Map<string, string | null>} */
  #refused = new Map();

  /** @param {() => Storage} open returns the browser's storage, or throws */
  constructor(open) {
    this.#open = open;
  }

  /** @param {string} key @returns {string | null} */
  getItem(key) {
    const refused = this.#refused.get(key);
    if (refused !== undefined) return refused;
    try {
      return this.#open().getItem(key);
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.#change(key, value, (storage) => storage.setItem(key, value));
  }

  /** @param {string} key */
  removeItem(key) {
    this.#change(key, null, (storage) => storage.removeItem(key));
  }

  /** @param {string} key @param {string | null} value @param {(storage: Storage) => void} change */
  #change(key, value, change) {
    try {
      change(this.#open());
      this.#refused.delete(key);
    } catch {
      this.#refused.set(key, value);
    }
  }
}

/** The storage that all tabs share. */
export const local = new FallbackStorage(() => localStorage);
/** The storage of this tab. */
export const session = new FallbackStorage(() => sessionStorage);

/**
 * Return a stored JSON value; null if there is none or it is damaged. Its shape is not checked: another
 * version of the page, or another program, may have written it.
 * @param {Pick<Storage, "getItem">} storage @param {string} key @returns {unknown}
 */
export function readJson(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}
