/**
 * Elements whose text is made from a clock: "10:24", "Today", "Last used 3 minutes ago".
 *
 * Each of them carries its moment and its format, and is written again whenever time moves on, so that
 * no view has to remember it.
 */

import { onTick } from "../browser/clock.js";
import { el, setText } from "../browser/dom.js";
import { dayHeading, fullTime, isoTime, relative, shortTime, time } from "../i18n/format.js";
import { strings } from "../i18n/strings.js";

const FORMATS = {
  time, dayHeading, shortTime,
  lastUsed: (/** @type {number} */ at) => strings.lastUsed(relative(at)),
};

/**
 * @param {number} at milliseconds since the epoch @param {keyof typeof FORMATS} format
 * @param {Record<string, any>} [props] more attributes
 */
export function when(at, format, props = {}) {
  const element = el("time", props);
  setWhen(element, at, format);
  return element;
}

/** Give an element another moment. @param {HTMLElement} element @param {number} at @param {keyof typeof FORMATS} format */
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
