/** A word at the foot of the page that goes away by itself. */

import { byId } from "../browser/dom.js";
import { ApiError } from "../api.js";
import { strings } from "../i18n/strings.js";

const SHOWN_FOR = 6_000; // milliseconds

const place = byId("notice");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text */
export function notice(text) {
  const dialogs = document.querySelectorAll("dialog[open]");
  (dialogs[dialogs.length - 1] ?? document.body).append(place); // what is behind a dialog is not read out
  place.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => { place.textContent = ""; }, SHOWN_FOR);
}

/** Say that something did not work. @param {unknown} error */
export function mishap(error) {
  notice(error instanceof ApiError ? error.message : strings.tryAgain);
  if (!(error instanceof ApiError)) throw error;
}
