/** Avatars of users and groups: an uploaded picture, or initials on a colour that stays the same. */

import { el } from "../browser/dom.js";
import { latest, nameOf, onUserChange } from "./user_directory.js";

const HUES = 10;
// Firefox has Intl.Segmenter since version 125. Without it, an emoji of several parts is cut.
const graphemes = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** @param {string} word */
const firstOf = (word) => (graphemes ? [...graphemes.segment(word)][0]?.segment : [...word][0]) ?? "";

const LEADING_PUNCTUATION = /^[^\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]+/u;

/** Return the first letters of the first and the last word; punctuation only if there is nothing else. @param {string} name */
export function initials(name) {
  const all = name.trim().split(/\s+/);
  const withoutPunctuation = all.map((word) => word.replace(LEADING_PUNCTUATION, "")).filter(Boolean);
  const words = withoutPunctuation.length ? withoutPunctuation : all;
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return chosen.map(firstOf).join("").toUpperCase();
}

/** Return the class of the colour of a user or group; it is always the same for one id. @param {number} id @param {boolean} [group] */
export const hue = (id, group = false) => `hue-${(id * 7 + (group ? 4 : 0)) % HUES}`;

/** Return the avatar of a group: the initials of its title. @param {number} id @param {string} title @param {"small"|"large"} [size] */
export function groupAvatar(id, title, size) {
  const classes = ["avatar group", hue(id, true), size].filter(Boolean).join(" ");
  return el("span", { class: classes, "aria-hidden": "true", text: initials(title) });
}

/** Return the avatar of a user: the picture, or the initials of the nickname. @param {import("./user_directory.js").Person} person @param {"small"|"large"} [size] */
export function avatar(person, size) {
  const classes = ["avatar", hue(person.id), size].filter(Boolean).join(" ");
  const element = el("span", { class: classes, "aria-hidden": "true", "data-avatar": person.id });
  draw(element, person);
  return element;
}

/** @param {Element} element @param {import("./user_directory.js").Person} person */
function draw(element, person) {
  element.textContent = initials(nameOf(person));
  const { picture } = latest(person);
  if (!picture) return;
  const image = el("img", { src: `/pictures/${picture}.webp`, alt: "" });
  image.addEventListener("error", () => image.remove()); // the initials are below the picture
  element.append(image);
}

onUserChange((person) => {
  for (const element of document.querySelectorAll(`[data-avatar="${person.id}"]`)) draw(element, person);
  for (const element of document.querySelectorAll(`[data-nickname="${person.id}"]`)) {
    element.textContent = nameOf(person);
  }
});
