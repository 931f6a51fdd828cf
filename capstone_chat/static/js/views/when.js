/**
 * Elements that show a time: "10:24", "Today", "Last used 3 minutes ago".
 *
 * Each element holds its time and its format as attributes. This module updates all of them at each tick of
 * the clock, so the views need not.
 */

import { onTick } from "../browser/clock.js";
import { el, setText } from "../browser/dom.js";
import { dateTime, dayHeading, fullTime, isoTime, relative, shortTime, time } from "../i18n/format.js";
import { strings } from "../i18n/strings.js";

const FORMATS = {
  time, dayHeading, shortTime,
  lastUsed: (/** @type {number} */ at) => strings.lastUsed(relative(at)),
  validUntil: (/** @type {number} */ at) => strings.validUntil(dateTime(at)),
};

/**
 * Create an element that shows a time.
 * @param {number} at milliseconds since the epoch @param {keyof typeof FORMATS} format
 * @param {Record<string, any>} [props] more attributes
 */
export function when(at, format, props = {}) {
  const element = el("time", props);
  setWhen(element, at, format);
  return element;
}

/** Set the time of an element. @param {HTMLElement} element @param {number} at @param {keyof typeof FORMATS} format */
export function setWhen(element, at, format) {
  element.dataset.at = String(at);
  element.dataset.format = format;
  element.setAttribute("datetime", isoTime(at));
  draw(element);
}

/** @param {HTMLElement} element */
function draw(element) {
  const at = Number(element.dataset.at);
  const format = /** @type {keyof typeof FORMATS} */ (element.dataset.format);
  setText(element, FORMATS[format](at));
  if (format !== "dayHeading") element.title = fullTime(at);
}

onTick(() => {
  for (const element of document.querySelectorAll("time[data-at]")) draw(/** @type {HTMLElement} */ (element));
});
