/** Draws the text of a message: links, and code with a button that copies it. Text nodes and elements, never HTML. */

import { el, icon } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { findCode } from "../text/code.js";
import { copyText } from "./clipboard.js";
import { linkify } from "./links.js";

/** The backticks stay in the page, so that its text is the message; they are neither shown nor spoken. @param {string} text */
const mark = (text) => text && el("span", { hidden: true, text });

/** Create the text of a message. @param {string} text */
export const messageText = (text) =>
  el("span", { class: "text", dir: "auto" }, ...findCode(text).flatMap(({ kind, open, language, gap, code, close }) =>
    kind === "text" ? linkify(code)
    : kind === "inline" ? [mark(open), el("code", { text: code }), mark(close)]
    : [el("span", { class: "code-block", dir: "ltr" },
      el("span", { class: "code-head" },
        mark(open), el("span", { text: language }), mark(gap),
        el("button", {
          class: "icon-button", type: "button", "aria-label": strings.copyCode, title: strings.copyCode,
          onclick: () => copyText(code),
        }, icon("copy"))),
      el("code", { tabindex: 0, text: code }), // the arrow keys scroll long lines
      mark(close))]));
