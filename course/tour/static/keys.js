// @ts-check
/** The keys of the tour, and the list of them. */

import { button, element } from "./elements.js";

/** @typedef {{keys: string, does: string, matches: (event: KeyboardEvent) => boolean, action: () => void}} Key */

/** @param {KeyboardEvent} event */
const control = (event) => (event.ctrlKey || event.metaKey) && !event.altKey;
/** @param {KeyboardEvent} event */
const alt = (event) => event.altKey && !event.ctrlKey && !event.metaKey;
/** Whether a key writes a character into what has the focus. @param {KeyboardEvent} event */
const writes = (event) => {
  const [target] = event.composedPath(); // also inside the shadow tree of the editor
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable=true]") !== null;
};

/**
 * Return all keys.
 * @param {Record<"save" | "run" | "hint" | "next" | "previous" | "nextPane" | "previousPane" | "list", () => void>} actions
 * @returns {Key[]}
 */
export function allKeys(actions) {
  return [
    { keys: "Ctrl-Enter", does: "save the file and run it", matches: (e) => control(e) && e.key === "Enter", action: actions.run },
    { keys: "Ctrl-S", does: "save the file, and check the exercise", matches: (e) => control(e) && !e.shiftKey && e.code === "KeyS", action: actions.save },
    { keys: "Ctrl-Shift-H", does: "next hint", matches: (e) => control(e) && e.shiftKey && e.code === "KeyH", action: actions.hint },
    { keys: "Alt-N", does: "next page", matches: (e) => alt(e) && e.code === "KeyN", action: actions.next },
    { keys: "Alt-P", does: "previous page", matches: (e) => alt(e) && e.code === "KeyP", action: actions.previous },
    { keys: "F6", does: "next pane", matches: (e) => e.key === "F6" && !e.shiftKey, action: actions.nextPane },
    { keys: "Shift-F6", does: "previous pane", matches: (e) => e.key === "F6" && e.shiftKey, action: actions.previousPane },
    { keys: "?", does: "this list", matches: (e) => e.key === "?" && !writes(e), action: actions.list },
  ];
}

/** Listen to the keys. @param {Key[]} keys */
export function listen(keys) {
  document.addEventListener("keydown", (event) => {
    const key = keys.find((each) => each.matches(event));
    if (!key || event.repeat || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    key.action();
  }, true);
}

/** Return the dialog with the list of keys. @param {Key[]} keys @returns {HTMLDialogElement} */
export function keysDialog(keys) {
  const rows = keys.map(({ keys: names, does }) => element("tr", {},
    element("th", { scope: "row" }, element("kbd", { text: names })), element("td", { text: does })));
  const dialog = element("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    element("h2", { id: "keys-title", text: "Keys" }),
    element("table", {}, element("tbody", {}, ...rows)),
    element("p", { text: "In the editor, Tab moves the line. Press Escape, then Tab, to leave the editor." }),
    button("Close", () => dialog.close()));
  return dialog;
}
