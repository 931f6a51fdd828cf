/** One row of the log: a message, another event, or a pending message. */

import { avatar, hue } from "../accounts/avatar.js";
import { nameOf } from "../accounts/user_directory.js";
import { el, icon } from "../browser/dom.js";
import { describeEvent, firstLine, isShown } from "../conversations/event_text.js";
import { sameDay } from "../i18n/format.js";
import { strings } from "../i18n/strings.js";
import { messageText } from "./message_text.js";
import { when } from "./when.js";

/** @typedef {import("../conversations/timeline.js").ChatEvent} ChatEvent */
/** @typedef {import("../conversations/timeline.js").Quote} Quote */
/** @typedef {import("../realtime/outbox.js").PendingMessage} PendingMessage */

const MINUTE = 60_000; // milliseconds
const MAX_PAUSE = 5 * MINUTE; // between two messages of a cluster, which have one sender

/**
 * Return whether `event` starts a cluster: sender or day differ from `before`, or there was a pause.
 * @param {ChatEvent | undefined} before @param {{from: {id: number}, at: number}} event
 */
function startsCluster(before, event) {
  return before?.type !== "message" || before.from.id !== event.from.id || event.at - before.at > MAX_PAUSE
    || !sameDay(before.at, event.at);
}

/** Return the class of a row; a phone leaves out a time that the message above has already. @param {boolean} start @param {{at: number} | undefined} before @param {number} at */
const rowClass = (start, before, at) =>
  start ? "row start" : before && Math.floor(before.at / MINUTE) === Math.floor(at / MINUTE) ? "row same-time" : "row";

/** @param {number} at @param {Node} [mark] @param {unknown} [isEdited] */
const stamp = (at, mark, isEdited) =>
  el("span", { class: "stamp" }, isEdited ? el("span", { class: "edited", text: strings.edited }) : null, when(at, "time"), mark);

/** @typedef {{me: number, retry: (cid: string) => void, discard: (cid: string) => void, quote?: Quote}} RowView `quote`: the message that it answers */

/** Create the quote of the message that another one answers; it leads there. @param {Quote | undefined} quote @param {number} me */
const quoteButton = (quote, me) => quote &&
  el("button", { class: `quote ${hue(quote.from.id)}`, type: "button", "data-quoted": quote.seq },
    el("span", { class: "spoken", text: `${strings.inReplyTo} ` }),
    ...quoteLines(quote, me));

/**
 * Create a heading, by default the author, and the first line of a message.
 * @param {Quote} message @param {number} me @param {string} [heading]
 */
export const quoteLines = (message, me, heading = message.from.id === me ? strings.you : undefined) => [
  el("b", { class: "one-line", "data-nickname": heading ? null : message.from.id, text: heading ?? nameOf(message.from) }),
  el("span", { class: message.text === null ? "one-line deleted" : "one-line", text: firstLine(message) }),
];

/** Create the icon of a pending message's state, and its buttons if it was refused. @param {PendingMessage} message @param {RowView} view @returns {[Node, Node?]} */
function pendingMarks({ cid, state, code, edit }, { retry, discard }) {
  if (state === "acked") return [icon("check", strings.sent)];
  if (state === "pending") return [icon("clock", strings.pending)];
  return [icon("warning", strings.failed), el("div", { class: "failure" },
    el("span", { text: strings.failure[code ?? ""] ?? strings.failed }),
    el("button", { type: "button", text: strings.retry, onclick: () => retry(cid) }),
    el("button", { type: "button", text: edit ? strings.cancel : strings.discard, onclick: () => discard(cid) }))];
}

/**
 * Create the row of an event.
 * @param {ChatEvent} event
 * @param {ChatEvent | undefined} before the one above it
 * @param {RowView & {isFirstNew: boolean, isPrivate: boolean, seen: boolean, edit?: PendingMessage}} view
 *   `isFirstNew`: the "new messages" line is above it; `seen`: the other person has read it; `edit`: a pending one
 */
export function eventRow(event, before, view) {
  const { me, isFirstNew, isPrivate } = view;
  // Each event has a row, because the window over the timeline moves by seq; some rows are empty.
  if (!isShown(event, isPrivate)) return el("div", { class: "row silent", "data-seq": event.seq });
  const isMessage = event.type === "message";
  const newDay = !before || !sameDay(before.at, event.at);
  const start = newDay || isFirstNew || (isMessage ? startsCluster(before, event) : before.type === "message");
  return el("div", { class: rowClass(start, before, event.at), "data-seq": event.seq },
    newDay && el("div", { class: "day" }, when(event.at, "dayHeading")),
    isFirstNew && el("div", { class: "new-messages", text: strings.newMessages }),
    isMessage ? message(event, start, view)
      : el("div", { class: "event", text: describeEvent(event, me) }));
}

/** @param {ChatEvent} event @param {boolean} start @param {Parameters<typeof eventRow>[2]} view */
function message({ from, text, at, edited }, start, view) {
  const { me, seen, edit, quote } = view;
  const mine = from.id === me;
  const isDeleted = text === null;
  const [mark, failure] = isDeleted || !mine ? [] : edit ? pendingMarks(edit, view)
    : [seen ? icon("seen", strings.seen) : icon("check", strings.sent)];
  const name = mine ? strings.you : nameOf(from);
  return el("div", { class: `message${mine ? " mine" : ""}${failure ? " failed" : ""}` },
    !mine && start && avatar(from, "small"),
    el("div", { class: isDeleted ? "bubble empty-bubble" : "bubble" },
      !mine && start ? el("span", { class: `sender ${hue(from.id)}`, "data-nickname": from.id, text: name })
        : el("span", { class: "spoken", text: `${name}: ` }),
      !isDeleted && quoteButton(quote, me),
      isDeleted ? el("span", { class: "deleted", text: strings.deleted }) : messageText(edit?.text ?? text ?? ""),
      stamp(at, mark, !isDeleted && (edited || edit)),
      !isDeleted && el("button", {
        class: "icon-button act", type: "button", "data-key": "menu", tabindex: -1, "aria-haspopup": "menu",
        "aria-label": strings.messageMenu, title: strings.messageMenu,
      }, icon("more"))),
    failure);
}

/**
 * Create the row of a pending message.
 * @param {PendingMessage} pending
 * @param {{from: {id: number}, at: number, type: string} | undefined} before
 * @param {RowView} view
 */
export function pendingRow(pending, before, view) {
  const { cid, at, text, state } = pending;
  const start = startsCluster(/** @type {ChatEvent | undefined} */ (before), { from: { id: view.me }, at });
  const [mark, failure] = pendingMarks(pending, view);
  return el("div", { class: rowClass(start, before, at), "data-key": cid, "data-cid": cid, "data-state": state },
    el("div", { class: failure ? "message mine failed" : "message mine" },
      el("div", { class: "bubble" },
        quoteButton(view.quote, view.me),
        messageText(text),
        stamp(at, mark)),
      failure));
}
