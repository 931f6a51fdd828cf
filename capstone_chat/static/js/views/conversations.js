/** The left pane: the conversations, the contacts, and groups found by name. */

import { groupAvatar } from "../accounts/avatar.js";
import { nameOf } from "../accounts/user_directory.js";
import * as api from "../api.js";
import { byId, debounce, el, setText } from "../browser/dom.js";
import { keyOf } from "../browser/keys.js";
import { Conversation } from "../conversations/conversation.js";
import { strings } from "../i18n/strings.js";
import { fold } from "../text/search_folding.js";
import { ConversationItem } from "./conversation_item.js";
import { invitationItem } from "./invitations.js";
import { avatarWithPresence, openPerson, openPrivate } from "./person.js";
import { showError } from "./toast.js";

/** @typedef {import("../conversations/store.js").Contact} Contact */
/** @typedef {{id: number, title: string, description: string, members: number, joined: boolean}} Found */

const SEARCH_DELAY = 200; // milliseconds after the last keystroke
const CONTACTS_SHOWN = 100; // and as many more with each "Show more"
const SUGGEST_UP_TO = 3; // conversations; with more, no groups to join are suggested

/**
 * @param {import("../conversations/store.js").Store} store
 * @param {import("../conversations/drafts.js").Drafts} drafts
 * @param {{create: (title?: string) => void, openConversation: (summary: any) => void, loadMore: () => Promise<void>}} actions
 */
export function conversationsView(store, drafts, { create, openConversation, loadMore }) {
  const lists = byId("lists");
  const search = byId("search");
  const status = byId("search-status");
  /** @type {Map<number, ConversationItem>} */
  const items = new Map();
  /** @type {Found[]} groups that the server found for `searched` */
  let found = [];
  /** The cursor of the next page of groups. @type {number | null} */
  let foundNext = null;
  /** The reader's own conversations that the server found for `searched` and that are not loaded. @type {Conversation[]} */
  let foundOwn = [];
  let searched = "";
  let contactsShown = CONTACTS_SHOWN;

  const [invitesTitle, invites] = section(strings.invitations);
  invites.setAttribute("aria-live", "polite");
  const [ownTitle, own] = section(strings.yourChats);
  const [peopleTitle, people] = section(strings.contacts);
  const [moreTitle, more] = section(strings.groupsToJoin);
  const empty = el("div", { class: "empty", hidden: true });
  const button = (/** @type {() => void} */ onclick) =>
    el("button", { class: "button soft further", type: "button", text: strings.showMore, hidden: true, onclick });
  const ownFurther = button(() => loadMoreConversations());
  const peopleFurther = button(() => { contactsShown += CONTACTS_SHOWN; draw(); });
  const moreFurther = button(() => loadMoreGroups().catch(showError));
  lists.replaceChildren(invitesTitle, invites, ownTitle, own, ownFurther, empty, peopleTitle, people, peopleFurther, moreTitle, more, moreFurther);

  /** Show the next page of the conversations. */
  async function loadMoreConversations() {
    const { next } = store;
    const { activeElement } = document;
    const first = own.childElementCount;
    await loadMore();
    if (store.next === next) return; // no answer: the button repeats the request
    draw();
    if (activeElement === ownFurther && ownFurther.hidden) own.children[first]?.querySelector("a")?.focus();
    observer.unobserve(ownFurther); // calls back if the button is still in view
    observer.observe(ownFurther);
  }
  const observer = new IntersectionObserver((records) => records.some((record) => record.isIntersecting) && loadMoreConversations(), { root: lists });
  observer.observe(ownFurther);

  /** Show more groups for the same search. */
  async function loadMoreGroups() {
    const { groups, next } = await api.get("/api/groups", { query: searched, after: foundNext ?? undefined });
    const known = new Set(found.map(({ id }) => id));
    found = [...found, ...groups.filter((/** @type {Found} */ { id }) => !known.has(id))];
    foundNext = next;
    drawFound();
  }

  const runSearch = debounce(SEARCH_DELAY, async () => {
    const query = search.value.trim();
    if (!query && store.conversations.size > SUGGEST_UP_TO) { found = []; foundNext = null; foundOwn = []; }
    else {
      const nothing = { groups: [], conversations: [], next: null };
      const fetchFound = (/** @type {string} */ path) => api.get(path, { query }).catch(() => nothing);
      // Loaded conversations are searched here, without the server.
      const [{ groups, next }, { conversations }] = await Promise.all([
        fetchFound("/api/groups"), query && store.next ? fetchFound("/api/conversations") : nothing]);
      if (query !== search.value.trim()) return;
      found = groups;
      foundNext = next;
      foundOwn = conversations.map((/** @type {any} */ summary) => {
        const conversation = new Conversation(summary.id, store.user.id);
        conversation.update(summary);
        return conversation;
      });
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
      openConversation((await api.post(`/api/groups/${group.id}/join`)).conversation);
      search.value = "";
      found = [];
      drawFound();
      runSearch();
    } catch (error) {
      showError(error);
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
    moreFurther.hidden = foundNext === null;
  }

  /** @param {string} query */
  function drawInvitations(query) {
    const shown = [...store.invitations.values()].filter(({ title, by }) => matches(query, title, nameOf(by), by.name));
    const state = JSON.stringify(shown);
    if (invites.dataset.state === state) return;
    invites.dataset.state = state;
    invites.replaceChildren(...shown.map((invitation) =>
      invitationItem(store, invitation, { openConversation, done: () => search.focus() })));
    invitesTitle.hidden = shown.length === 0;
  }

  /** Draw the contacts without a chat in the list. @param {string} query */
  function drawPeople(query) {
    const listed = new Set([...store.conversations.values()]
      .filter((conversation) => conversation.isPrivate && isListed(conversation))
      .map(({ peer }) => peer?.id));
    const matching = [...store.contacts.values()].filter((contact) =>
      !listed.has(contact.id) && matches(query, nameOf(contact), contact.name));
    const shown = matching.slice(0, contactsShown);
    peopleFurther.hidden = shown.length === matching.length;
    const state = shown.map(({ id, nickname, picture, online, blocked }) => [id, nickname, picture, online, blocked]).join();
    if (people.dataset.state === state) return;
    people.dataset.state = state;
    people.replaceChildren(...shown.map((contact) => el("li", {}, el("button", {
      class: "entry", type: "button",
      onclick: () => (contact.blocked ? openPerson(store, contact, { openConversation, onError: showError })
        : openPrivate(contact.id, openConversation).catch(showError)),
    },
      avatarWithPresence(store, contact),
      el("span", { class: "words" },
        el("span", { class: "top" }, el("span", { class: "name one-line", text: nameOf(contact) })),
        el("span", { class: "bottom" }, el("span", {
          class: "line one-line",
          text: contact.blocked ? strings.blocked : `@${contact.name}`,
        })))))));
    peopleTitle.hidden = shown.length === 0;
  }

  /** A private chat in which nothing was written yet is listed while it is open. @param {import("../conversations/conversation.js").Conversation} conversation */
  const isListed = (conversation) => !conversation.isUnused || conversation.id === store.openId;

  function draw() {
    if (!store.ready) return;
    lists.setAttribute("aria-busy", "false");
    const query = fold(search.value.trim());
    const others = query ? foundOwn.filter(({ id }) => !store.conversations.has(id)) : [];
    const sorted = [...store.conversations.values(), ...others]
      .filter((conversation) => isListed(conversation) && matches(query, conversation.title, conversation.peer?.name))
      .sort((a, b) => (b.timeline.latest?.at ?? 0) - (a.timeline.latest?.at ?? 0) || b.id - a.id);
    const wanted = sorted.map((conversation) => {
      let item = items.get(conversation.id);
      if (item?.conversation !== conversation) {
        item = new ConversationItem(store, conversation);
        items.set(conversation.id, item);
      }
      item.draw(drafts.get(conversation.id));
      return item.element;
    });
    reorderChildren(own, wanted);
    const kept = new Set([...store.conversations.keys(), ...others.map(({ id }) => id)]);
    for (const id of items.keys()) if (!kept.has(id)) items.delete(id);
    ownFurther.hidden = Boolean(query) || !store.next;
    drawInvitations(query);
    ownTitle.hidden = wanted.length === 0 || !(query || invites.childElementCount);
    drawPeople(query);
    drawEmpty(query, wanted.length + people.childElementCount + invites.childElementCount);
  }

  /** @param {string} query @param {number} shown */
  function drawEmpty(query, shown) {
    const nothing = shown === 0 && (query ? fold(searched) === query && more.childElementCount === 0 : true);
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

  search.addEventListener("input", () => { draw(); runSearch(); });
  search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const key = keyOf(event);
    if (key === "Escape") { search.value = ""; draw(); runSearch(); }
    if (key === "ArrowDown" || key === "Enter") {
      const first = lists.querySelector("a, button:not([hidden])");
      if (first) { event.preventDefault(); first.focus(); if (key === "Enter" && first.matches("a")) first.click(); }
    }
  });
  lists.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[keyOf(event)];
    if (!step) return;
    const targets = [...lists.querySelectorAll("a, button")].filter((target) => !target.closest("[hidden]"));
    const next = targets[targets.indexOf(document.activeElement) + step];
    event.preventDefault();
    (next ?? (step < 0 ? search : null))?.focus();
  });

  store.subscribe(["conversations", "contacts", "invitations", "open"], () => { draw(); drawFound(); });
  return { suggest: runSearch, focusSearch: () => search.focus() };
}

/** @param {string} query folded @param {...(string | undefined)} names */
const matches = (query, ...names) => !query || names.some((name) => name && fold(name).includes(query));

/** A heading and its list. @param {string} title */
function section(title) {
  return [el("h3", { text: title, hidden: true }), el("ul", { "aria-label": title })];
}

/**
 * Make `children` the children of `parent` with the fewest moves.
 * @param {Element} parent @param {Element[]} children
 */
function reorderChildren(parent, children) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  if (focused && parent.contains(focused)) focused.focus({ preventScroll: true }); // a move drops it
}
