/** The visible part of a message. The rule is that of the server's `visible_text.py`. */

/**
 * A character with a visible glyph. Not visible are white space, controls, Default_Ignorable_Code_Point (joiners,
 * direction marks, Hangul fillers; Unicode, DerivedCoreProperties.txt), and characters whose glyph is
 * empty (Braille blank, null notehead, Khitan filler, Egyptian format controls and blanks, annotation
 * marks).
 */
const INK =
  /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb\u{13430}-\u{1343f}\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u;

const TRAILING_SPACE = /\p{White_Space}$/u;
const NOT_SPACE = /\P{White_Space}/u;

/** Return whether a text has a visible character. @param {string} text */
export const hasInk = (text) => INK.test(text);

/**
 * Return a message as it is sent, without empty lines before it and white space after it. The indentation of
 * its first line stays.
 * @param {string} text
 */
export function trimMessage(text) {
  let end = text.length;
  while (end > 0 && TRAILING_SPACE.test(text[end - 1])) end -= 1; // no white space is a surrogate pair
  const first = text.slice(0, end).search(NOT_SPACE);
  if (first < 0) return "";
  const line = Math.max(text.lastIndexOf("\n", first), text.lastIndexOf("\r", first)) + 1;
  return text.slice(line, end);
}
