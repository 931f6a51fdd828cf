/** One line of a conversation: a message, something that happened, or a message that is not yet sent. */

import { avatar, hue } from "../accounts/avatar.js";
import { el, icon } from "../browser/dom.js";
import { happened, isShown } from "../conversations/event_text.js";
import { sameDay } from "../i18n/format.js";
import { linkify } from "./links.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { when } from "./when.js";

/** @typedef {import("../conversations/timeline.js").ChatEvent} ChatEvent */
/** @typedef {import("../realtime/outbox.js").Draft} Draft */

const RUN = 5 * 60_000; // milliseconds between messages of one sender that stand together

/**
 * Whether `event` begins a run: another sender, day, or a pause since `before`.
 * @param {ChatEvent | undefined} before @param {{from: {id: number}, at: number}} event
 */
function begins(before, event) {
  return before?.type !== "message" || before.from.id !== event.from.id || event.at - before.at > RUN
    || !sameDay(before.at, event.at);
}

/** @param {number} at @param {...Node} marks */
const stamp = (at, ...marks) =>
  el("span", { class: "stamp" }, when(at, "time"), ...marks);

/**
 * @param {ChatEvent} event
 * @param {ChatEvent | undefined} before the one above it
 * @param {{me: number, fresh: boolean, isPrivate: boolean, seen: boolean}} view
 *   `fresh`: the "new messages" line stands above it; `seen`: the other person has read it
 */
export function eventRow(event, before, { me, fresh, isPrivate, seen }) {
  // Every event has a row, so that the window over the history moves by seq; some show nothing.
  if (!isShown(event, isPrivate)) return el("div", { class: "row silent", "data-seq": event.seq });
  const isMessage = event.type === "message";
  const newDay = !before || !sameDay(before.at, event.at);
  const start = newDay || fresh || (isMessage ? begins(before, event) : before.type === "message");
  return el("div", { class: start ? "row start" : "row", "data-seq": event.seq },
    newDay && el("div", { class: "day" }, when(event.at, "day")),
    fresh && el("div", { class: "fresh", text: strings.newMessages }),
    isMessage ? said(event, event.from.id === me, start, seen)
      : el("div", { class: "happened", text: happened(event, me) }));
}

/** @param {ChatEvent} event @param {boolean} mine @param {boolean} start @param {boolean} seen */
function said({ from, text, at }, mine, start, seen) {
  const gone = text === null;
  const words = gone ? el("span", { class: "gone", text: strings.deleted })
    : el("span", { class: "text", dir: "auto" }, ...linkify(text ?? ""));
  if (mine) {
    return el("div", { class: "said mine" },
      !gone && el("button", {
        class: "icon-button act", type: "button", tabindex: -1,
        "aria-label": strings.deleteMessage, title: strings.deleteMessage,
      }, icon("trash")),
      el("div", { class: gone ? "bubble empty-bubble" : "bubble" },
        el("span", { class: "spoken", text: `${strings.you}: ` }),
        words,
        gone ? stamp(at) : stamp(at, seen ? icon("seen", strings.seen) : icon("check", strings.sent))));
  }
  return el("div", { class: "said" },
    start && avatar(from, "small"),
    el("div", { class: gone ? "bubble empty-bubble" : "bubble" },
      start ? el("span", { class: `sender ${hue(from.id)}`, "data-nickname": from.id, text: nameOf(from) })
        : el("span", { class: "spoken", text: `${nameOf(from)}: ` }),
      words,
      stamp(at)));
}

/**
 * @param {Draft} draft
 * @param {{from: {id: number}, at: number, type: string} | undefined} before
 * @param {{me: number, retry: (cid: string) => void, discard: (cid: string) => void}} view
 */
export function draftRow(draft, before, { me, retry, discard }) {
  const start = begins(/** @type {ChatEvent | undefined} */ (before), { from: { id: me }, at: draft.at });
  const failed = draft.state === "failed";
  const mark = failed ? icon("warning", strings.failed)
    : draft.state === "acked" ? icon("check", strings.sent)
    : icon("clock", strings.pending);
  return el("div", { class: start ? "row start" : "row", "data-cid": draft.cid, "data-state": draft.state },
    el("div", { class: failed ? "said mine failed" : "said mine" },
      el("div", { class: "bubble" },
        el("span", { class: "text", dir: "auto" }, ...linkify(draft.text)),
        stamp(draft.at, mark)),
      failed && el("div", { class: "mishap" },
        el("span", { text: strings.failure[draft.code ?? ""] ?? strings.failed }),
        el("button", { type: "button", text: strings.retry, onclick: () => retry(draft.cid) }),
        el("button", { type: "button", text: strings.discard, onclick: () => discard(draft.cid) }))));
}
