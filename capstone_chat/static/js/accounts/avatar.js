/** Pictures of people and groups: an upload, or initials on a colour that stays the same. */

import { el } from "../browser/dom.js";
import { latest, nameOf, onUserChange } from "./user_directory.js";

const HUES = 10;
// Firefox has it since version 125; without it an emoji of several parts is cut.
const graphemes = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** @param {string} word */
const firstOf = (word) => (graphemes ? [...graphemes.segment(word)][0]?.segment : [...word][0]) ?? "";

/** The first letters of the first and the last word. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return chosen.map(firstOf).join("").toUpperCase();
}

/** @param {number} id @param {boolean} [group] */
export const hue = (id, group = false) => `hue-${(id * 7 + (group ? 4 : 0)) % HUES}`;

/** @param {number} id @param {string} title @param {"small"|"large"} [size] */
export function groupAvatar(id, title, size) {
  const classes = ["avatar group", hue(id, true), size].filter(Boolean).join(" ");
  return el("span", { class: classes, "aria-hidden": "true", text: initials(title) });
}

/** @param {import("./user_directory.js").Person} person @param {"small"|"large"} [size] */
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
  image.addEventListener("error", () => image.remove()); // below it are the initials
  element.append(image);
}

onUserChange((person) => {
  for (const element of document.querySelectorAll(`[data-avatar="${person.id}"]`)) draw(element, person);
  for (const element of document.querySelectorAll(`[data-nickname="${person.id}"]`)) {
    element.textContent = nameOf(person);
  }
});
