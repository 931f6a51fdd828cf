/** The menu of each message in the log, for mouse, finger and keyboard. */

import { request } from "../api.js";
import { byId, el, icon } from "../browser/dom.js";
import { keyOf } from "../browser/keys.js";
import { href } from "../browser/router.js";
import { strings } from "../i18n/strings.js";
import { copyText } from "./clipboard.js";
import { openFormDialog } from "./dialog.js";
import { focusRow } from "./message_list.js";

/** @typedef {import("../conversations/timeline.js").ChatEvent} ChatEvent */
/** @typedef {{canWrite: () => boolean, reply: (event: ChatEvent) => void, edit: (event: ChatEvent) => void}} MessageActions */

const LONG_PRESS = 500; // milliseconds
const MOVED_PX = 10; // a finger that moves further scrolls
const GAP_PX = 8; // between the menu and the edges of the window

/**
 * Handle the menus of the messages in the log.
 * @param {HTMLElement} log holds the rows; each message has a button `.act` that opens its menu
 * @param {import("../conversations/store.js").Store} store
 * @param {MessageActions} actions
 */
export function attachMessageMenu(log, store, actions) {
  const buttons = /** @type {HTMLCollectionOf<HTMLElement>} */ (log.getElementsByClassName("act"));
  const menu = el("div", { class: "menu", role: "menu", popover: "manual", "aria-label": strings.messageMenu });
  byId("talk").append(menu);
  /** The one button that Tab reaches; the arrow keys lead to the others. @type {HTMLElement | null} */
  let tabStop = null;
  /** The seq of the message whose menu is open. @type {string | null | undefined} */
  let openSeq = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pressTimer;

  /** @param {number | string | null | undefined} seq @returns {HTMLElement | null} */
  const rowOf = (seq) => log.querySelector(`[data-seq="${seq}"]`);

  const close = () => {
    if (openSeq === null) return;
    const hadFocus = menu.contains(document.activeElement);
    const row = rowOf(openSeq); // it may have been drawn again
    openSeq = null;
    menu.hidePopover();
    if (hadFocus) focusRow(row ?? log);
    row?.querySelector(".act")?.removeAttribute("aria-expanded");
  };

  /** Return the entries of the menu of a message: icon, label and action. @param {ChatEvent} event @returns {[string, string, () => void][]} */
  function entriesOf(event) {
    const { conv, seq, from, text } = event;
    const mine = from.id === store.user.id;
    const isOwner = store.open?.kind === "group" && store.open.role === "owner";
    /** @type {[boolean, string, string, () => void][]} */
    const entries = [
      [actions.canWrite(), "reply", strings.reply, () => actions.reply(event)],
      [mine && actions.canWrite(), "edit", strings.edit, () => actions.edit(event)],
      [true, "copy", strings.copyText, () => copyText(text ?? "")],
      [true, "link", strings.copyLink, () => copyText(new URL(href(conv, seq), location.href).href)],
      [mine || isOwner, "trash", strings.discard, () => void openFormDialog({
        title: strings.deleteQuestion,
        text: strings.deleteHint,
        action: strings.discard,
        danger: true,
        submit: async () => {
          await request("DELETE", `/api/conversations/${conv}/events/${seq}`);
          return () => focusRow(rowOf(seq)); // its button, which had the focus, may be gone
        },
      })],
    ];
    return entries.flatMap(([applies, ...entry]) => (applies ? [entry] : []));
  }

  /** Open the menu of the message in a row. @param {Element | null | undefined} row @param {{x: number, y: number}} [at] where the finger is */
  function open(row, at) {
    close();
    const button = row?.querySelector(".act");
    const event = store.open?.timeline.at(Number(row?.getAttribute("data-seq")));
    if (!button || !event) return;
    menu.replaceChildren(...entriesOf(event).map(([name, label, act]) =>
      el("button", {
        class: "menu-item", type: "button", role: "menuitem", tabindex: -1,
        onclick: () => { close(); act(); },
      }, icon(name), label)));
    menu.showPopover();
    openSeq = row?.getAttribute("data-seq");
    button.setAttribute("aria-expanded", "true");
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const x = at ? at.x - width / 2 : left + width > innerWidth - GAP_PX ? right - width : left;
    const below = at ? at.y + GAP_PX : bottom;
    const y = below + height <= innerHeight - GAP_PX ? below : (at ? at.y : top) - height;
    menu.style.left = `${Math.max(GAP_PX, Math.min(x, innerWidth - width - GAP_PX))}px`;
    menu.style.top = `${Math.max(GAP_PX, y)}px`;
    /** @type {HTMLElement} */ (menu.firstElementChild).focus({ preventScroll: true });
  }

  log.addEventListener("click", ({ target }) => {
    const row = /** @type {Element} */ (target).closest(".row");
    for (const chosen of log.querySelectorAll(".chosen")) if (chosen !== row) chosen.classList.remove("chosen");
    const pressed = /** @type {Element} */ (target).closest(".act");
    if (pressed) open(row);
    else row?.classList.toggle("chosen"); // a finger cannot hover
  });

  // A long press of a finger. A link keeps the menu of the browser.
  const cancelPress = () => clearTimeout(pressTimer);
  log.addEventListener("pointerdown", ({ target, pointerType, clientX: x, clientY: y }) => {
    cancelPress();
    const bubble = /** @type {Element} */ (target).closest(".bubble");
    if (pointerType !== "touch" || !bubble || /** @type {Element} */ (target).closest("a")) return;
    const move = (/** @type {PointerEvent} */ event) => Math.hypot(event.clientX - x, event.clientY - y) > MOVED_PX && cancelPress();
    log.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) {
      log.addEventListener(end, () => { cancelPress(); log.removeEventListener("pointermove", move); }, { once: true });
    }
    pressTimer = setTimeout(() => open(bubble.closest(".row"), { x, y }), LONG_PRESS);
  });
  log.addEventListener("contextmenu", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.matches(".act")) open(target.closest(".row")); // the key for menus
    else if (/** @type {PointerEvent} */ (event).pointerType !== "touch" || !target.closest(".bubble") || target.closest("a")) return;
    event.preventDefault();
  });
  addEventListener("pointerdown", ({ target }) => {
    if (!menu.contains(/** @type {Node} */ (target))) close();
  });
  addEventListener("popstate", close);

  log.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[keyOf(event)];
    const button = /** @type {HTMLElement} */ (event.target);
    if (!step || !button.matches(".act")) return;
    event.preventDefault();
    buttons[[...buttons].indexOf(button) + step]?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const key = keyOf(event);
    if (key === "Escape" || key === "Tab") close();
    else {
      const items = /** @type {HTMLElement[]} */ ([...menu.children]);
      const index = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[key];
      if (next === undefined) return;
      items.at(next % items.length)?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
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
  };
}
