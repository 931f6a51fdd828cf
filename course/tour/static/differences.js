// @ts-check
/** Which lines of two texts differ. */

/** @typedef {{sign: " " | "-" | "+", text: string}} Line */

/**
 * Return the lines of both texts, with the sign of a diff.
 * @param {string} before
 * @param {string} after
 * @returns {Line[]}
 */
export function differences(before, after) {
  const old = before.split("\n");
  const now = after.split("\n");
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  /** @type {(texts: string[]) => Line[]} */
  const same = (texts) => texts.map((text) => ({ sign: " ", text }));
  return [
    ...same(old.slice(0, start)),
    ...middle(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...same(old.slice(old.length - end)),
  ];
}

/** The same for the lines between the equal ones, by the longest common subsequence. @param {string[]} old @param {string[]} now @returns {Line[]} */
function middle(old, now) {
  // common[i][j]: how many lines old[i..] and now[j..] have in common, in this order
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  /** @type {Line[]} */
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ sign: " ", text: old[i] });
      i += 1;
      j += 1;
    } else if (j === now.length || (i < old.length && common[i + 1][j] >= common[i][j + 1])) {
      lines.push({ sign: "-", text: old[i] });
      i += 1;
    } else {
      lines.push({ sign: "+", text: now[j] });
      j += 1;
    }
  }
  return lines;
}
