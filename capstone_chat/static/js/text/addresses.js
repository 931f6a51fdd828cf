/**
 * Finds the web and mail addresses in a text, and the end of each that its writer most likely meant.
 *
 * The rules follow UTS #58, "Unicode Link Detection": brackets are counted, and punctuation at the end
 * belongs to the sentence. Chinese and Japanese have no space after their punctuation, so an address
 * ends before it in any case.
 *
 * @typedef {{start: number, end: number, href: string}} Address positions in UTF-16 units
 */

const START = /https?:\/\/|www\.|@/giu;

// A label of a host name: letters, digits and marks, and inside it hyphens and joiners (RFC 5890).
const LABEL = String.raw`[\p{L}\p{N}\p{M}_](?:[\p{L}\p{N}\p{M}_\u200c\u200d-]{0,61}[\p{L}\p{N}\p{M}_])?`;
const HOST = new RegExp(String.raw`${LABEL}(?:\.${LABEL}){0,126}`, "uy");
const IPV6 = /\[[0-9a-f:.]{2,45}\]/iy;
const PORT = /:\d{1,5}(?!\d)/y;
const CREDENTIALS = /[\w.~%!$&'*+;=:-]{0,128}@/y; // a user name in an address makes one site look like another

// Before the @ of a mail address. ASCII only, although RFC 6532 allows more: in Chinese no space
// stands before the address.
const LOCAL_PART = /[a-z0-9_](?:[a-z0-9._+-]{0,62}[a-z0-9_+-])?$/i;
const LOCAL_LONGEST = 64; // RFC 5321, 4.5.3.1.1

// In scripts that are written without spaces, an address may stand right behind a letter.
const WORD = /[\p{L}\p{N}\p{M}_@.\/]/u;
const WITHOUT_SPACES =
  /[\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const OPENING = "([{";
const CLOSING = ")]}";
/** Punctuation that belongs to an address only if more of the address follows: not the comma of "…/a, b". */
const SOFT = /[.,:;!?'*_~|’…\u2013\u200c\u200d([{]/u;
/** ASCII characters of an address, and beyond ASCII an apostrophe, joiners and variation selectors. */
const INSIDE = /[!#-;=?-[\]-_a-~’\u200c\u200d\ufe00-\ufe0f]/u;
/** Characters that are never part of an address. RFC 3987, 4.1 forbids direction marks. */
const HARD =
  /[\p{White_Space}\p{Cc}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}\p{Default_Ignorable_Code_Point}<>"`\\\u2014\u2015\u2e3a\u2e3b\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]/u;

/** Find all addresses in a text. @param {string} text @returns {Address[]} in the order of the text; they do not overlap */
export function findAddresses(text) {
  /** @type {Address[]} */
  const found = [];
  let free = 0; // where the next address may begin
  for (const { 0: start, index } of text.matchAll(START)) {
    if (index < free) continue;
    const after = index + start.length;
    const credentials = start === "@" ? null : matchAt(CREDENTIALS, text, after);
    const address = start === "@" ? mailAt(text, index, free)
      : credentials ? null : webAt(text, index, start.toLowerCase());
    if (address) found.push(address);
    free = address?.end ?? (credentials ? after + credentials.length : free);
  }
  return found;
}

/** @param {string} text @param {number} start @param {string} mark the scheme, or "www." @returns {Address | null} */
function webAt(text, start, mark) {
  const isNamed = mark === "www.";
  if (isNamed ? isInWord(text, start) : /\w/.test(text[start - 1] ?? " ")) return null;
  const from = isNamed ? start : start + mark.length;
  const host = hostAt(text, from);
  if (!host) return null;
  if (isNamed && host.name.split(".").length < 3) return null;
  let end = from + host.name.length;
  if (!host.isCut) {
    end += matchAt(PORT, text, end)?.length ?? 0;
    if (/[/?#]/.test(text[end] ?? "")) end = tailEnd(text, end);
  }
  const href = parse(`${isNamed ? "https://" : ""}${text.slice(start, end)}`);
  return href === null ? null : { start, end, href };
}

/** @param {string} text @param {number} at the position of the @ @param {number} free @returns {Address | null} */
function mailAt(text, at, free) {
  const host = hostAt(text, at + 1);
  if (!host?.name.includes(".") || host.name.startsWith("[")) return null;
  const before = LOCAL_PART.exec(text.slice(Math.max(free, at - LOCAL_LONGEST), at));
  if (!before) return null;
  const start = at - before[0].length;
  if (isInWord(text, start) || before[0].includes("..")) return null;
  const end = at + 1 + host.name.length;
  return { start, end, href: `mailto:${text.slice(start, end)}` };
}

/**
 * Return the host name at a position. No top-level domain mixes ASCII with other letters, so in
 * "example.com上" the name ends after "com".
 * @param {string} text @param {number} from
 * @returns {{name: string, isCut: boolean} | null}
 */
function hostAt(text, from) {
  const literal = matchAt(IPV6, text, from);
  if (literal) return { name: literal, isCut: false };
  const whole = matchAt(HOST, text, from);
  if (!whole) return null;
  const last = whole.lastIndexOf(".") + 1;
  const ascii = /^[\0-\x7f]*/.exec(whole.slice(last))?.[0] ?? "";
  const name = (ascii ? whole.slice(0, last) + ascii : whole).replace(/[-_.]+$/, "");
  return name === "" ? null : { name, isCut: name.length < whole.length };
}

/** Return where path, query and fragment end. @param {string} text @param {number} from */
function tailEnd(text, from) {
  let end = from;
  let position = from;
  /** @type {number[]} kinds of the brackets that are yet to be closed */
  const open = [];
  for (const sign of text.slice(from)) {
    if (!INSIDE.test(sign) && HARD.test(sign)) break;
    const closing = CLOSING.indexOf(sign);
    if (closing >= 0 && open.pop() !== closing) break;
    const opening = OPENING.indexOf(sign);
    if (opening >= 0) open.push(opening);
    position += sign.length;
    if (!SOFT.test(sign)) end = position;
  }
  return end;
}

/** @param {string} text @param {number} at */
function isInWord(text, at) {
  const before = [...text.slice(Math.max(0, at - 2), at)].pop() ?? " ";
  return WORD.test(before) && !WITHOUT_SPACES.test(before);
}

/** @param {RegExp} sticky @param {string} text @param {number} at */
function matchAt(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}

/** @param {string} address @returns {string | null} the address in ASCII, null when it is none */
function parse(address) {
  try {
    return new URL(address).href;
  } catch {
    return null;
  }
}
