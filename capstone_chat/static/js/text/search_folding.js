/** Equal letters for a search. The rule is that of the server's `search_folding.py`, which explains it. */

const APOSTROPHES = /[\u00b4\u02b9\u02bb-\u02bd\u1ffd\u2018-\u201b\u2032]/gu;
const QUOTES = /[\u00ab\u00bb\u201c-\u201f\u2033\u301d-\u301f]/gu;
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu;
const MARKS =
  /[\u0300-\u0337\u0339-\u0362\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1abe\u1dc0-\u1dc9\u1df5-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]/gu;

/** Return the form of a text that a search compares. @param {string} text */
export function fold(text) {
  const plain = dropMarks(text
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(APOSTROPHES, "'").replace(QUOTES, '"').replace(DASHES, "-"));
  return dropMarks(plain.normalize("NFKD"))
    .toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ")
    .replace(/\p{White_Space}+/gu, " ")
    .normalize("NFC");
}

/** @param {string} text */
const dropMarks = (text) =>
  text.replaceAll("\u0438\u0306", "\u0439").replaceAll("\u0418\u0306", "\u0419").replace(MARKS, "");

/**
 * Find a text inside another one by the folded forms of both.
 * @param {string} text @param {string} query
 * @returns {[number, number] | null} start and end of the first match, in UTF-16 units
 */
export function findFolded(text, query) {
  const wanted = fold(query);
  const holds = (/** @type {number} */ from, /** @type {number} */ to) => fold(text.slice(from, to)).includes(wanted);
  if (!wanted || !holds(0, text.length)) return null;
  const end = least(0, text.length, (to) => holds(0, to));
  const start = least(0, end, (from) => !holds(from, end)) - 1;
  const marks = /^\p{M}*/u.exec(text.slice(end))?.[0].length ?? 0; // accents of the last letter
  return [Math.max(0, start), end + marks];
}

/** Return the smallest number for which a condition holds, by bisection; `high` if there is none. @param {number} low @param {number} high @param {(n: number) => boolean} holds */
function least(low, high, holds) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
