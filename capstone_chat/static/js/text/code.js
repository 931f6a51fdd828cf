/**
 * Finds the code in a message: blocks between lines that begin and end with three backticks, and code between
 * backticks inside a line. Nothing else of Markdown has a meaning, and a mark without its partner is text.
 *
 * @typedef {{kind: "text" | "inline" | "block", open: string, language: string, gap: string, code: string, close: string}} Part
 *   The strings of all parts, joined in this order, are the message. `code` is the text of a text, too; `gap` is
 *   the line break behind the name of a language.
 */

/** The beginning of a block: the fence, and the name of a language if it is alone behind it. */
const OPENING = /(?<=^|\n)```(?!`)(?:([\w+#.-]{0,20})(\r?\n))?/g;
/** The end of a block: the fence, and only space up to the end of its line. The line breaks belong to the fence. */
const CLOSING = /(?:\r?\n)?(?<!`)```[ \t]*(?:\r?\n|$)/g;
const NOT_SPACE = /\S/;

/** Split a message into texts and code. @param {string} message @returns {Part[]} */
export function findCode(message) {
  /** @type {Part[]} */
  const parts = [];
  let done = 0;
  OPENING.lastIndex = 0;
  for (let opening = OPENING.exec(message); opening; opening = OPENING.exec(message)) {
    CLOSING.lastIndex = OPENING.lastIndex;
    const closing = CLOSING.exec(message);
    if (!closing) break;
    const code = message.slice(OPENING.lastIndex, closing.index);
    OPENING.lastIndex = CLOSING.lastIndex;
    if (!NOT_SPACE.test(code)) continue;
    parts.push(...findInline(message.slice(done, opening.index)),
      { kind: "block", open: "```", language: opening[1] ?? "", gap: opening[2] ?? "", code, close: closing[0] });
    done = CLOSING.lastIndex;
  }
  return [...parts, ...findInline(message.slice(done))];
}

/** Return a message without the marks of its code, for a place that shows one line. @param {string} message */
export const withoutMarks = (message) =>
  findCode(message).map(({ kind, code }) => (kind === "block" ? `${code}\n` : code)).join("");

/** @param {string} text without blocks @returns {Part[]} */
function findInline(text) {
  const runs = [...text.matchAll(/`+|\n/g)].map(({ 0: run, index }) => ({ run, index }));
  /** @type {Part[]} */
  const parts = [];
  let done = 0;
  const add = (/** @type {Part["kind"]} */ kind, /** @type {string} */ mark, /** @type {string} */ code) =>
    code && parts.push({ kind, open: mark, language: "", gap: "", code, close: mark });
  for (let opening = 0; opening < runs.length; opening++) {
    const { run, index } = runs[opening];
    if (run === "\n") continue;
    let closing = opening + 1;
    while (closing < runs.length && runs[closing].run !== run && runs[closing].run !== "\n") closing++;
    if (runs[closing]?.run !== run) continue;
    const code = text.slice(index + run.length, runs[closing].index);
    if (!NOT_SPACE.test(code)) continue;
    add("text", "", text.slice(done, index));
    add("inline", run, code);
    done = runs[closing].index + run.length;
    opening = closing;
  }
  add("text", "", text.slice(done));
  return parts;
}
