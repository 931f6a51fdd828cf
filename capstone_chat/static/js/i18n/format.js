/** Times and days in the reader's language and time zone. */

import * as clock from "../browser/clock.js";
import { strings } from "./strings.js";

const language = globalThis.document?.documentElement.lang || undefined;
const DAY = 86_400_000; // milliseconds
const YEAR_SHOWN_AFTER = 300; // days

/** Make the formatters. A formatter keeps the time zone in which it was made. */
function makeFormats() {
  const make = (/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat(language, options);
  return {
    zone: clock.zone(),
    clock: make({ hour: "numeric", minute: "2-digit" }),
    weekday: make({ weekday: "short" }),
    shortDate: make({ day: "numeric", month: "short" }),
    numericDate: make({ dateStyle: "short" }),
    longDay: make({ weekday: "long", day: "numeric", month: "long" }),
    longDate: make({ dateStyle: "long" }),
    longDateTime: make({ dateStyle: "long", timeStyle: "short" }),
    exact: make({ dateStyle: "full", timeStyle: "medium" }),
  };
}

let cachedFormats = makeFormats();

function formats() {
  if (cachedFormats.zone !== clock.zone()) cachedFormats = makeFormats();
  return cachedFormats;
}

const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

/** Return the number of a calendar day; a day may have 23 or 25 hours. @param {number} at */
function dayNumber(at) {
  const date = new Date(at);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
}

/** Return the number of midnights between two times; 0 if the first is in the future. @param {number} at @param {number} now */
const daysBetween = (at, now) => Math.max(0, dayNumber(now) - dayNumber(at));

/** Return the time of day. @param {number} at milliseconds since the epoch, here and below */
export const time = (at) => formats().clock.format(at);

/** Return the date and the time. @param {number} at */
export const dateTime = (at) => formats().longDateTime.format(at);

/** Return the date and the time, as exact as a tooltip needs them. @param {number} at */
export const fullTime = (at) => formats().exact.format(at);

/** Return a time for the attribute of `<time datetime>`. @param {number} at */
export const isoTime = (at) => new Date(at).toISOString();

/** Return whether two times are on the same day. @param {number} a @param {number} b */
export const sameDay = (a, b) => dayNumber(a) === dayNumber(b);

/** Return the heading of a day. @param {number} at @param {number} [now] */
export function dayHeading(at, now = clock.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return strings.today;
  if (days === 1) return strings.yesterday;
  return (days < YEAR_SHOWN_AFTER ? formats().longDay : formats().longDate).format(at);
}

/** Return a time in the short form for a list. @param {number} at @param {number} [now] */
export function shortTime(at, now = clock.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return time(at);
  if (days < 7) return formats().weekday.format(at);
  return (days < YEAR_SHOWN_AFTER ? formats().shortDate : formats().numericDate).format(at);
}

/** Return how long ago a time was, in the largest unit that fits; a time in the future counts as now. @param {number} at @param {number} [now] */
export function relative(at, now = clock.now()) {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes < 60) return relativeFormat.format(-minutes, "minute");
  const days = daysBetween(at, now);
  if (minutes < 24 * 60 || days === 0) return relativeFormat.format(-Math.round(minutes / 60), "hour");
  return relativeFormat.format(-days, "day");
}
