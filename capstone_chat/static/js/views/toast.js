/** A short message at the bottom of the page that disappears by itself. */

import { ApiError } from "../api.js";
import { byId } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

const DURATION = 6_000; // milliseconds

const element = byId("notice");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Show a text for some seconds. @param {string} text */
export function showToast(text) {
  const dialogs = document.querySelectorAll("dialog[open]");
  (dialogs[dialogs.length - 1] ?? document.body).append(element); // screen readers ignore elements behind a dialog
  element.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => { element.textContent = ""; }, DURATION);
}

/** Show the message of a failed request in a toast. @param {unknown} error */
export function showError(error) {
  showToast(error instanceof ApiError ? error.message : strings.tryAgain);
  if (!(error instanceof ApiError)) throw error;
}
