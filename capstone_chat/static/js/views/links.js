/** Makes the addresses in a text clickable: text nodes and links, never HTML. */

import { el } from "../browser/dom.js";
import { findAddresses } from "../text/addresses.js";

/** Split a text into texts and links. @param {string} text @returns {(string | HTMLElement)[]} */
export function linkify(text) {
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let done = 0;
  for (const { start, end, href } of findAddresses(text)) {
    const target = href.startsWith("mailto:") ? null : "_blank"; // a mail program would leave an empty tab
    parts.push(
      text.slice(done, start),
      el("a", { href, target, rel: "noopener noreferrer nofollow", text: text.slice(start, end) }),
    );
    done = end;
  }
  return [...parts, text.slice(done)].filter((part) => part !== "");
}
