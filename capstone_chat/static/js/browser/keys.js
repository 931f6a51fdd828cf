/** Keyboard events: input methods, layouts, and keyboards on a screen. */

/** @typedef {Partial<Pick<KeyboardEvent, "key" | "code" | "keyCode" | "isComposing" | "altKey" | "ctrlKey" | "metaKey" | "shiftKey">>} Key */

/** Apple keyboards have their shortcuts on Command; Control+K deletes to the end of the line there. */
export const APPLE = /^(Mac|iP)/.test(globalThis.navigator?.platform ?? "");

/** A finger is the first means of input, so the keyboard is most likely one on the screen. */
export const touch = globalThis.matchMedia?.("(hover: none) and (pointer: coarse)");

/**
 * Whether an input method (Pinyin, Kana, Hangul) uses this key itself.
 *
 * UI Events has `isComposing`; Safari ends the composition before the keydown of the Enter that
 * confirms the word, so it is false there, and only the older `keyCode` 229 shows it.
 * @param {Key} event
 */
const isOfInputMethod = (event) => Boolean(event.isComposing) || event.keyCode === 229;

/**
 * The key, as `KeyboardEvent.key` names it. It is "" while an input method uses the key, and for an
 * event without a key: Chrome sends such keydown events when it fills in a form.
 * @param {Key} event
 */
export const keyOf = (event) => (isOfInputMethod(event) ? "" : (event.key ?? ""));

/**
 * Whether a key press sends the message. Enter does, but Shift+Enter and Alt+Enter break the line. On
 * a touch keyboard, which has no Shift+Enter, Enter breaks the line as well: the button sends, and so
 * does Control+Enter or Command+Enter of a keyboard that was attached.
 * @param {Key} event @param {boolean} onTouch whether the keyboard is one on the screen
 */
export function isEnterToSend(event, onTouch) {
  if (keyOf(event) !== "Enter" || event.shiftKey || event.altKey) return false;
  return !onTouch || Boolean(event.ctrlKey || event.metaKey);
}

/**
 * Whether a key press is the shortcut Control+`letter`, or Command+`letter`.
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
