/** Public groups that the reader can join: their entries, and the dialog in which to browse all of them. */

import { groupAvatar } from "../accounts/avatar.js";
import { get, post } from "../api.js";
import { el } from "../browser/dom.js";
import { href, navigate } from "../browser/router.js";
import { strings } from "../i18n/strings.js";
import { openDialog } from "./dialog.js";
import { groupLine } from "./groups.js";
import { showError } from "./toast.js";

/** @typedef {{id: number, title: string, description: string, members: number, joined: boolean}} Found */

/**
 * Create the list item of a group or a user that the reader does not know yet, with a button.
 * @param {HTMLElement} picture @param {string} name @param {string} line below the name
 * @param {{text: string, label: string, act: () => void}} button `label`: its accessible name
 */
export const foundEntry = (picture, name, line, { text, label, act }) => el("li", { class: "entry", "data-key": label },
  picture,
  el("span", { class: "words" },
    el("span", { class: "top" }, el("span", { class: "name one-line", text: name })),
    el("span", { class: "bottom" }, el("span", { class: "line one-line", text: line }))),
  el("button", { class: "button soft", type: "button", text, "aria-label": label, onclick: act }));

/** Create the list item of a public group. @param {Found} group @param {(group: Found) => void} join */
export const groupEntry = (group, join) => foundEntry(groupAvatar(group.id, group.title), group.title, groupLine(group), {
  text: strings.join, label: strings.joinNamed(group.title), act: () => join(group),
});

/**
 * Open the dialog that lists all public groups.
 * @param {(summary: any) => void} openConversation
 */
export async function browseGroups(openConversation) {
  const list = el("ul", { class: "browse", "aria-label": strings.publicGroups });
  const more = el("button", {
    class: "button soft further", type: "button", text: strings.showMore,
    onclick: () => load().catch(showError),
  });
  /** @type {number | null | undefined} the cursor of the next page */
  let next;

  /** Add the next page; the focus goes to its first entry. */
  async function load() {
    const answer = await get("/api/groups", { after: next ?? undefined });
    if (answer.next === next) return; // pressed twice
    const first = list.childElementCount;
    list.append(...answer.groups.map(entry));
    ({ next } = answer);
    more.hidden = next === null;
    list.children[first]?.querySelector("button")?.focus();
  }

  /** @param {Found} group */
  const entry = (group) => !group.joined ? groupEntry(group, join)
    : foundEntry(groupAvatar(group.id, group.title), group.title, groupLine(group), {
      text: strings.open, label: strings.openNamed(group.title),
      act: () => { dialog.close(); navigate(href(group.id)); },
    });

  async function join(/** @type {Found} */ { id }) {
    try {
      const { conversation } = await post(`/api/groups/${id}/join`);
      dialog.close();
      openConversation(conversation);
    } catch (error) {
      showError(error);
    }
  }

  await load(); // the dialog has its size from the beginning
  const dialog = openDialog(strings.publicGroups, list, list.childElementCount === 0 && el("p", { text: strings.noPublicGroups }), more);
  list.querySelector("button")?.focus();
}
