/** The left pane: the conversations, the contacts, and groups found by name. */

import * as api from "../api.js";
import { groupAvatar } from "../avatar.js";
import { byId, debounce, el, setText } from "../dom.js";
import { nameOf } from "../people.js";
import { strings } from "../strings.js";
import { Entry } from "./entry.js";
import { mishap } from "./notice.js";
import { face, openPerson, openPrivate } from "./person.js";

/** @typedef {import("../store.js").Contact} Contact */
/** @typedef {{id: number, title: string, description: string, members: number, joined: boolean}} Found */

const SEARCH_AFTER = 200; // milliseconds of rest in typing
const FEW = 3; // with no more conversations than this, groups to join are suggested

/**
 * @param {import("../store.js").Store} store
 * @param {import("../drafts.js").Drafts} drafts
 * @param {{create: (title?: string) => void, enter: (summary: any) => void}} actions
 */
export function conversationsView(store, drafts, { create, enter }) {
  const lists = byId("lists");
  const search = byId("search");
  const status = byId("search-status");
  /** @type {Map<number, Entry>} */
  const entries = new Map();
  /** @type {Found[]} groups that the server found for `searched` */
  let found = [];
  let searched = "";

  const [ownTitle, own] = section(strings.yourChats);
  const [peopleTitle, people] = section(strings.contacts);
  const [moreTitle, more] = section(strings.groupsToJoin);
  const empty = el("div", { class: "empty", hidden: true });
  lists.replaceChildren(ownTitle, own, empty, peopleTitle, people, moreTitle, more);

  const look = debounce(SEARCH_AFTER, async () => {
    const query = search.value.trim();
    if (!query && store.conversations.size > FEW) found = [];
    else {
      const { groups } = await api.get("/api/groups", { query }).catch(() => ({ groups: [] }));
      if (query !== search.value.trim()) return;
      found = groups;
    }
    searched = query;
    drawFound();
    draw();
    setText(status, query ? strings.found(
      own.childElementCount + people.childElementCount + more.childElementCount) : "");
  });

  /** @param {Found} group */
  async function join(group) {
    try {
      enter((await api.post(`/api/groups/${group.id}/join`)).conversation);
      search.value = "";
      found = [];
      drawFound();
      look();
    } catch (error) {
      mishap(error);
    }
  }

  function drawFound() {
    const open = found.filter(({ joined, id }) => !joined && !store.conversations.has(id));
    more.replaceChildren(...open.map((group) => el("li", { class: "entry" },
      groupAvatar(group.id, group.title),
      el("span", { class: "words" },
        el("span", { class: "top" }, el("span", { class: "name one-line", text: group.title })),
        el("span", { class: "bottom" }, el("span", {
          class: "line one-line",
          text: [strings.members(group.members), group.description].filter(Boolean).join(" · "),
        }))),
      el("button", {
        class: "button soft", type: "button", text: strings.join,
        "aria-label": strings.joinNamed(group.title), onclick: () => join(group),
      }))));
    moreTitle.hidden = more.childElementCount === 0;
  }

  /** Contacts with whom there is no chat in the list. @param {string} query */
  function drawPeople(query) {
    const listed = new Set([...store.conversations.values()]
      .filter((conversation) => conversation.isPrivate && isListed(conversation))
      .map(({ peer }) => peer?.id));
    const shown = [...store.contacts.values()].filter((contact) =>
      !listed.has(contact.id) && matches(query, nameOf(contact), contact.name));
    const state = shown.map(({ id, nickname, picture, online, blocked }) => [id, nickname, picture, online, blocked]).join();
    if (people.dataset.state === state) return;
    people.dataset.state = state;
    people.replaceChildren(...shown.map((contact) => el("li", {}, el("button", {
      class: "entry", type: "button",
      onclick: () => (contact.blocked ? openPerson(store, contact, { enter, failed: mishap })
        : openPrivate(contact.id, enter).catch(mishap)),
    },
      face(store, contact),
      el("span", { class: "words" },
        el("span", { class: "top" }, el("span", { class: "name one-line", text: nameOf(contact) })),
        el("span", { class: "bottom" }, el("span", {
          class: "line one-line",
          text: contact.blocked ? strings.blocked : `@${contact.name}`,
        })))))));
    peopleTitle.hidden = shown.length === 0;
  }

  /** A private chat in which nothing was written yet is listed while it is open. @param {import("../store.js").Conversation} conversation */
  const isListed = (conversation) => !conversation.isUnused || conversation.id === store.openId;

  function draw() {
    if (!store.ready) return;
    lists.setAttribute("aria-busy", "false");
    const query = search.value.trim().toLocaleLowerCase();
    const sorted = [...store.conversations.values()]
      .filter((conversation) => isListed(conversation) && matches(query, conversation.title, conversation.peer?.name))
      .sort((a, b) => (b.timeline.latest?.at ?? 0) - (a.timeline.latest?.at ?? 0) || b.id - a.id);
    const today = new Date().toDateString();
    const wanted = sorted.map((conversation) => {
      let entry = entries.get(conversation.id);
      if (entry?.conversation !== conversation) {
        entry = new Entry(store, conversation);
        entries.set(conversation.id, entry);
      }
      entry.draw(drafts.of(conversation.id), today);
      return entry.element;
    });
    place(own, wanted);
    for (const id of entries.keys()) if (!store.conversations.has(id)) entries.delete(id);
    ownTitle.hidden = !query || wanted.length === 0;
    drawPeople(query);
    drawEmpty(query, wanted.length + people.childElementCount);
  }

  /** @param {string} query @param {number} shown */
  function drawEmpty(query, shown) {
    const nothing = shown === 0 && (query ? searched.toLocaleLowerCase() === query && more.childElementCount === 0 : true);
    empty.hidden = !nothing;
    empty.classList.toggle("whole", !query);
    if (!nothing) return;
    const title = search.value.trim();
    const words = query ? [el("p", { text: strings.nothingFound(title) })]
      : [el("b", { text: strings.noChats }), el("p", { text: strings.noChatsHint })];
    const label = query ? strings.createNamed(title) : strings.createGroup;
    if (empty.lastElementChild?.textContent === label) return;
    empty.replaceChildren(...words, el("button", {
      class: "button primary", type: "button", text: label, onclick: () => create(title),
    }));
  }

  search.addEventListener("input", () => { draw(); look(); });
  search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") { search.value = ""; draw(); look(); }
    if (event.key === "ArrowDown" || event.key === "Enter") {
      const first = lists.querySelector("a, button");
      if (first) { event.preventDefault(); first.focus(); if (event.key === "Enter" && first.matches("a")) first.click(); }
    }
  });
  lists.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const targets = [...lists.querySelectorAll("a, button")].filter((target) => !target.closest("[hidden]"));
    const next = targets[targets.indexOf(document.activeElement) + step];
    event.preventDefault();
    (next ?? (step < 0 ? search : null))?.focus();
  });

  store.subscribe(["conversations", "contacts", "open"], () => { draw(); drawFound(); });
  return { suggest: look, focusSearch: () => search.focus() };
}

/** @param {string} query @param {...(string | undefined)} names */
const matches = (query, ...names) => names.some((name) => name?.toLocaleLowerCase().includes(query));

/** A heading and its list. @param {string} title */
function section(title) {
  return [el("h3", { text: title, hidden: true }), el("ul", { "aria-label": title })];
}

/**
 * Make `children` the children of `parent` with the fewest moves.
 * @param {Element} parent @param {Element[]} children
 */
function place(parent, children) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  if (focused && parent.contains(focused)) focused.focus({ preventScroll: true }); // a move drops it
}
