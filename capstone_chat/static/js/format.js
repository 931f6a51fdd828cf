/** Times and days, as the reader's language writes them. */

import { strings } from "./strings.js";

const language = globalThis.document?.documentElement.lang || undefined;
const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const shortDate = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const numericDate = new Intl.DateTimeFormat(language, { dateStyle: "short" });
const longDay = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const longDate = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });

const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

const DAY = 86_400_000; // milliseconds

/** How many midnights lie between two moments. @param {number} at @param {number} now */
function daysBetween(at, now) {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);
}

/** @param {number} at milliseconds since the epoch, here and below */
export const time = (at) => clock.format(at);

/** @param {number} at */
export const moment = (at) => exact.format(at);

/** For `<time datetime>`. @param {number} at */
export const machine = (at) => new Date(at).toISOString();

/** @param {number} a @param {number} b */
export const sameDay = (a, b) => daysBetween(a, b) === 0;

/** The heading of a day. @param {number} at @param {number} [now] */
export function day(at, now = Date.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return strings.today;
  if (days === 1) return strings.yesterday;
  return (days < 300 ? longDay : longDate).format(at);
}

/** As short as a list has room for. @param {number} at @param {number} [now] */
export function brief(at, now = Date.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return clock.format(at);
  if (days < 7) return weekday.format(at);
  return (days < 300 ? shortDate : numericDate).format(at);
}

/** How long ago, in the largest unit that fits. @param {number} at @param {number} [now] */
export function relative(at, now = Date.now()) {
  const minutes = Math.round((at - now) / 60_000);
  if (minutes > -60) return ago.format(minutes, "minute");
  if (minutes > -24 * 60) return ago.format(Math.round(minutes / 60), "hour");
  return ago.format(-daysBetween(at, now), "day");
}
