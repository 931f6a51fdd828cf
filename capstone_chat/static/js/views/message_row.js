/** One row of the log: a message, another event, or a pending message. */

import { avatar, hue } from "../accounts/avatar.js";
import { nameOf } from "../accounts/user_directory.js";
import { el, icon } from "../browser/dom.js";
import { describeEvent, isShown } from "../conversations/event_text.js";
import { sameDay } from "../i18n/format.js";
import { strings } from "../i18n/strings.js";
import { linkify } from "./links.js";
import { when } from "./when.js";

/** @typedef {import("../conversations/timeline.js").ChatEvent} ChatEvent */
/** @typedef {import("../realtime/outbox.js").PendingMessage} PendingMessage */

const MAX_PAUSE = 5 * 60_000; // milliseconds between messages of one sender that stand together, as a cluster

/**
 * Whether `event` starts a cluster: it has another sender or day than `before`, or there was a pause.
 * @param {ChatEvent | undefined} before @param {{from: {id: number}, at: number}} event
 */
function startsCluster(before, event) {
  return before?.type !== "message" || before.from.id !== event.from.id || event.at - before.at > MAX_PAUSE
    || !sameDay(before.at, event.at);
}

/** @param {number} at @param {...Node} marks */
const stamp = (at, ...marks) =>
  el("span", { class: "stamp" }, when(at, "time"), ...marks);

/**
 * @param {ChatEvent} event
 * @param {ChatEvent | undefined} before the one above it
 * @param {{me: number, isFirstNew: boolean, isPrivate: boolean, seen: boolean}} view
 *   `isFirstNew`: the "new messages" line is above it; `seen`: the other person has read it
 */
export function eventRow(event, before, { me, isFirstNew, isPrivate, seen }) {
  // Every event has a row, so that the window over the history moves by seq; some show nothing.
  if (!isShown(event, isPrivate)) return el("div", { class: "row silent", "data-seq": event.seq });
  const isMessage = event.type === "message";
  const newDay = !before || !sameDay(before.at, event.at);
  const start = newDay || isFirstNew || (isMessage ? startsCluster(before, event) : before.type === "message");
  return el("div", { class: start ? "row start" : "row", "data-seq": event.seq },
    newDay && el("div", { class: "day" }, when(event.at, "dayHeading")),
    isFirstNew && el("div", { class: "new-messages", text: strings.newMessages }),
    isMessage ? messageBubble(event, event.from.id === me, start, seen)
      : el("div", { class: "event", text: describeEvent(event, me) }));
}

/** @param {ChatEvent} event @param {boolean} mine @param {boolean} start @param {boolean} seen */
function messageBubble({ from, text, at }, mine, start, seen) {
  const isDeleted = text === null;
  const words = isDeleted ? el("span", { class: "deleted", text: strings.deleted })
    : el("span", { class: "text", dir: "auto" }, ...linkify(text ?? ""));
  if (mine) {
    return el("div", { class: "message mine" },
      !isDeleted && el("button", {
        class: "icon-button act", type: "button", tabindex: -1,
        "aria-label": strings.deleteMessage, title: strings.deleteMessage,
      }, icon("trash")),
      el("div", { class: isDeleted ? "bubble empty-bubble" : "bubble" },
        el("span", { class: "spoken", text: `${strings.you}: ` }),
        words,
        isDeleted ? stamp(at) : stamp(at, seen ? icon("seen", strings.seen) : icon("check", strings.sent))));
  }
  return el("div", { class: "message" },
    start && avatar(from, "small"),
    el("div", { class: isDeleted ? "bubble empty-bubble" : "bubble" },
      start ? el("span", { class: `sender ${hue(from.id)}`, "data-nickname": from.id, text: nameOf(from) })
        : el("span", { class: "spoken", text: `${nameOf(from)}: ` }),
      words,
      stamp(at)));
}

/**
 * @param {PendingMessage} message
 * @param {{from: {id: number}, at: number, type: string} | undefined} before
 * @param {{me: number, retry: (cid: string) => void, discard: (cid: string) => void}} view
 */
export function pendingRow(message, before, { me, retry, discard }) {
  const start = startsCluster(/** @type {ChatEvent | undefined} */ (before), { from: { id: me }, at: message.at });
  const failed = message.state === "failed";
  const mark = failed ? icon("warning", strings.failed)
    : message.state === "acked" ? icon("check", strings.sent)
    : icon("clock", strings.pending);
  return el("div", { class: start ? "row start" : "row", "data-cid": message.cid, "data-state": message.state },
    el("div", { class: failed ? "message mine failed" : "message mine" },
      el("div", { class: "bubble" },
        el("span", { class: "text", dir: "auto" }, ...linkify(message.text)),
        stamp(message.at, mark)),
      failed && el("div", { class: "failure" },
        el("span", { text: strings.failure[message.code ?? ""] ?? strings.failed }),
        el("button", { type: "button", text: strings.retry, onclick: () => retry(message.cid) }),
        el("button", { type: "button", text: strings.discard, onclick: () => discard(message.cid) }))));
}
