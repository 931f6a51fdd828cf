/** Keyboard events: input methods, layouts, and keyboards on a screen. */

/** @typedef {Partial<Pick<KeyboardEvent, "key" | "code" | "keyCode" | "isComposing" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey">>} Key */

/** True on Apple systems: shortcuts are on Command, and Control+K deletes to the end of the line. */
export const APPLE = /^(Mac|iP)/.test(globalThis.navigator?.platform ?? "");

/** Matches if a finger is the first means of input: then the keyboard is most likely on the screen. */
export const touch = globalThis.matchMedia?.("(hover: none) and (pointer: coarse)");

/**
 * Return whether an input method (Pinyin, Kana, Hangul) uses this key itself.
 *
 * UI Events has `isComposing`; Safari ends the composition before the keydown of the Enter that
 * confirms the word, so it is false there, and only the older `keyCode` 229 shows it.
 * @param {Key} event
 */
const isOfInputMethod = (event) => Boolean(event.isComposing) || event.keyCode === 229;

/**
 * Return the key, as `KeyboardEvent.key` names it. The result is "" while an input method uses the key, and
 * for an event without a key: Chrome sends such keydown events when it fills in a form.
 * @param {Key} event
 */
export const keyOf = (event) => (isOfInputMethod(event) ? "" : (event.key ?? ""));

/**
 * Return whether a key press sends the message. Enter sends; Shift+Enter and Alt+Enter break the line. A
 * touch keyboard has no Shift+Enter, so Enter breaks the line there: the button sends, and Control+Enter or
 * Command+Enter of an attached keyboard.
 * @param {Key} event @param {boolean} onTouch whether the keyboard is one on the screen
 */
export function isEnterToSend(event, onTouch) {
  if (keyOf(event) !== "Enter" || event.shiftKey || event.altKey) return false;
  return !onTouch || Boolean(event.ctrlKey || event.metaKey);
}

/**
 * Return whether a key press is the shortcut Control+`letter`, or Command+`letter`.
 *
 * A layout with Latin letters (QWERTY, AZERTY, Dvorak) decides by the letter. On all others (Cyrillic,
 * Greek, Hebrew) the position of the key counts, named by the US layout (UI Events, `code`).
 * @param {Key} event @param {string} letter a to z
 */
export function isShortcut(event, letter) {
  if (isOfInputMethod(event) || event.altKey || event.shiftKey) return false; // AltGr is Control+Alt
  if (!event.metaKey && (APPLE || !event.ctrlKey)) return false;
  const key = (event.key ?? "").toLowerCase();
  return /^[a-z]$/.test(key) ? key === letter : event.code === `Key${letter.toUpperCase()}`;
}
