/** Texts about events, for the log and for the list of conversations. */

import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";

/** @typedef {import("./timeline.js").ChatEvent} ChatEvent */

/**
 * Whether an event has a line of its own in the log. A deletion is shown in its message;
 * the two members of a private chat are not announced.
 * @param {ChatEvent | undefined} event @param {boolean} isPrivate
 */
export const isShown = (event, isPrivate) =>
  event !== undefined && event.type !== "deleted" && !(isPrivate && event.type === "member");

/** @param {ChatEvent} event all but a message @param {number} me the reader's id */
export function describeEvent({ type, from, user, change, text }, me) {
  const kind = { member: change, visibility: text }[type] ?? type;
  const by = nameOf(from);
  const whom = user && user.id !== from.id ? nameOf(user) : (text ?? "");
  if (from.id === me) return strings.happenedByYou[kind]?.(whom) ?? "";
  if (user?.id === me) return strings.happenedToYou[kind]?.(by) ?? "";
  return strings.happened[kind]?.(by, whom) ?? "";
}

/** The newest event in one line. @param {ChatEvent | null} event @param {number} me @param {boolean} isPrivate */
export function previewLine(event, me, isPrivate) {
  if (!event) return "";
  const mine = event.from.id === me;
  if (event.type !== "message") return event.type === "deleted" || isShown(event, isPrivate) ? describeEvent(event, me) : "";
  if (event.text === null) return strings.deleted;
  if (isPrivate && !mine) return event.text ?? "";
  return strings.announce(mine ? strings.you : nameOf(event.from), event.text ?? "");
}
