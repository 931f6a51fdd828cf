/** Deleting one's own messages: the button beside each of them, by mouse, finger and keyboard. */

import { request } from "../api.js";
import { keyOf } from "../browser/keys.js";
import { strings } from "../i18n/strings.js";
import { openFormDialog } from "./dialog.js";

/**
 * @param {HTMLElement} log holds the rows; in each of one's own messages is a button `.act`
 * @param {() => number | null} openId the open conversation's id
 */
export function attachMessageActions(log, openId) {
  const buttons = /** @type {HTMLCollectionOf<HTMLElement>} */ (log.getElementsByClassName("act"));
  /** The one button that Tab reaches; the arrow keys lead to the others. @type {HTMLElement | null} */
  let tabStop = null;

  log.addEventListener("click", ({ target }) => {
    const row = /** @type {Element} */ (target).closest(".row");
    for (const chosen of log.querySelectorAll(".chosen")) if (chosen !== row) chosen.classList.remove("chosen");
    row?.classList.toggle("chosen"); // a finger cannot hover
    const pressed = /** @type {Element} */ (target).closest(".act");
    if (!pressed) return;
    const path = `/api/conversations/${openId()}/events/${row?.getAttribute("data-seq")}`;
    openFormDialog({
      title: strings.deleteQuestion,
      text: strings.deleteHint,
      action: strings.discard,
      danger: true,
      submit: async () => void (await request("DELETE", path)),
    });
  });

  log.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[keyOf(event)];
    const button = /** @type {HTMLElement} */ (event.target);
    if (!step || !button.matches(".act")) return;
    event.preventDefault();
    buttons[[...buttons].indexOf(button) + step]?.focus();
  });

  return {
    /** Make Tab reach the newest button; call it after the rows have changed. */
    placeTabStop() {
      const newest = buttons[buttons.length - 1] ?? null;
      if (newest === tabStop) return;
      tabStop?.setAttribute("tabindex", "-1");
      newest?.setAttribute("tabindex", "0");
      tabStop = newest;
    },
    /** Focus the newest message that can be deleted. @returns {boolean} whether there is one */
    focusNewest() {
      tabStop?.focus();
      return tabStop !== null;
    },
  };
}
