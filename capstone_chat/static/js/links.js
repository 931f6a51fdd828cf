/** Makes http(s) addresses in a text clickable: text nodes and links, never HTML. */

import { el } from "./dom.js";

const ADDRESS = /\bhttps?:\/\/[^\s<>"“”«»]+/gi;
const TRAILING = /[.,:;!?'’…*_~]+$/;

/** What people put behind an address belongs to the sentence. @param {string} found */
function trim(found) {
  let address = found.replace(TRAILING, "");
  for (const [open, close] of ["()", "[]", "{}"]) {
    while (address.endsWith(close) && address.split(close).length > address.split(open).length) {
      address = address.slice(0, -1).replace(TRAILING, "");
    }
  }
  return address;
}

/** @param {string} text @returns {(string | HTMLElement)[]} */
export function linkify(text) {
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trim(found);
    const url = URL.canParse(address) ? new URL(address) : null;
    if (!url || !["http:", "https:"].includes(url.protocol)) continue;
    parts.push(
      text.slice(end, index),
      el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow", text: address }),
    );
    end = index + address.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}
