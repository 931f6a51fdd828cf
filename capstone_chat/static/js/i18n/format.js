/** Times and days, as the reader's language and time zone write them. */

import * as clock from "../browser/clock.js";
import { strings } from "./strings.js";

const language = globalThis.document?.documentElement.lang || undefined;
const DAY = 86_400_000; // milliseconds
const YEAR_SHOWN_AFTER = 300; // days

/** A formatter keeps the time zone in which it was made. */
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
    exact: make({ dateStyle: "full", timeStyle: "medium" }),
  };
}

let cachedFormats = makeFormats();

function formats() {
  if (cachedFormats.zone !== clock.zone()) cachedFormats = makeFormats();
  return cachedFormats;
}

const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

/** The number of a calendar day; days have 23 to 25 hours. @param {number} at */
function dayNumber(at) {
  const date = new Date(at);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
}

/** How many midnights lie between two moments; none when the first is in the future. @param {number} at @param {number} now */
const daysBetween = (at, now) => Math.max(0, dayNumber(now) - dayNumber(at));

/** @param {number} at milliseconds since the epoch, here and below */
export const time = (at) => formats().clock.format(at);

/** @param {number} at */
export const fullTime = (at) => formats().exact.format(at);

/** For `<time datetime>`. @param {number} at */
export const isoTime = (at) => new Date(at).toISOString();

/** @param {number} a @param {number} b */
export const sameDay = (a, b) => dayNumber(a) === dayNumber(b);

/** The heading of a day. @param {number} at @param {number} [now] */
export function dayHeading(at, now = clock.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return strings.today;
  if (days === 1) return strings.yesterday;
  return (days < YEAR_SHOWN_AFTER ? formats().longDay : formats().longDate).format(at);
}

/** As short as a list has room for. @param {number} at @param {number} [now] */
export function shortTime(at, now = clock.now()) {
  const days = daysBetween(at, now);
  if (days === 0) return time(at);
  if (days < 7) return formats().weekday.format(at);
  return (days < YEAR_SHOWN_AFTER ? formats().shortDate : formats().numericDate).format(at);
}

/** How long ago, in the largest unit that fits; never in the future. @param {number} at @param {number} [now] */
export function relative(at, now = clock.now()) {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes < 60) return relativeFormat.format(-minutes, "minute");
  const days = daysBetween(at, now);
  if (minutes < 24 * 60 || days === 0) return relativeFormat.format(-Math.round(minutes / 60), "hour");
  return relativeFormat.format(-days, "day");
}
