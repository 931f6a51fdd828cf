/** Texts about events, for the log and for the list of conversations. */

import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { withoutMarks } from "../text/code.js";

/** @typedef {import("./timeline.js").ChatEvent} ChatEvent */

/**
 * Return whether an event has a line of its own in the log. An edit is shown in its message, and so is a
 * deletion, unless the owner of the group deleted the message of somebody else. The two members of a private
 * chat are not announced.
 * @param {ChatEvent | undefined} event @param {boolean} isPrivate
 */
export const isShown = (event, isPrivate) =>
  event !== undefined && event.type !== "edited" && (event.type !== "deleted" || event.user !== undefined)
  && !(isPrivate && event.type === "member");

/**
 * Return the first line of a message, of a block of code the line below the backticks; or that it was deleted.
 * @param {{text?: string | null}} message
 */
export function firstLine({ text }) {
  if (typeof text !== "string") return strings.deleted;
  const [first, second] = text.split("\n", 2);
  return second !== undefined && first.startsWith("```") ? second : first;
}

/** Return a sentence that says what an event has changed. @param {ChatEvent} event not a message @param {number} me the reader's id */
export function describeEvent({ type, from, user, change, text }, me) {
  const kind = { member: change, visibility: text }[type] ?? type;
  const by = nameOf(from);
  const whom = user && user.id !== from.id ? nameOf(user) : (text ?? "");
  if (from.id === me) return strings.happenedByYou[kind]?.(whom) ?? "";
  if (user?.id === me) return strings.happenedToYou[kind]?.(by) ?? "";
  return strings.happened[kind]?.(by, whom) ?? "";
}

/** Return the newest event as one line of text. @param {ChatEvent | null} event @param {number} me @param {boolean} isPrivate */
export function previewLine(event, me, isPrivate) {
  if (!event) return "";
  const mine = event.from.id === me;
  if (event.type !== "message") return isShown(event, isPrivate) ? describeEvent(event, me) : "";
  if (event.text === null) return strings.deleted;
  const text = withoutMarks(event.text ?? "");
  return isPrivate && !mine ? text : strings.announce(mine ? strings.you : nameOf(event.from), text);
}
