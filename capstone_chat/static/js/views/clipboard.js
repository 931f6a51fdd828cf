/** Copies texts for the reader to paste elsewhere. */

import { el } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";
import { showToast } from "./toast.js";

/** Copy a text to the clipboard, and say so. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    showToast(strings.copied);
  } catch { // over plain HTTP a browser has no navigator.clipboard; a permission may be missing
    showToast(copySelected(text) ? strings.copied : strings.tryAgain);
  }
}

/** Copy a text through a selection, the older way. @param {string} text @returns {boolean} whether it worked */
function copySelected(text) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = /** @type {HTMLTextAreaElement} */ (el("textarea", { class: "spoken", readonly: true, "aria-hidden": "true" }));
  field.value = text;
  (focused?.closest("dialog") ?? document.body).append(field); // nothing behind a dialog can be selected
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return copied;
}
