/** The left pane: the conversations, the contacts, and groups found by name. */

import { nameOf } from "../accounts/user_directory.js";
import * as api from "../api.js";
import { byId, debounce, el, setText, updateChildren } from "../browser/dom.js";
import { keyOf } from "../browser/keys.js";
import { Conversation } from "../conversations/conversation.js";
import { strings } from "../i18n/strings.js";
import { fold } from "../text/search_folding.js";
import { ConversationItem } from "./conversation_item.js";
import { invitationItem } from "./invitations.js";
import { avatarWithPresence, openPerson, openPrivate } from "./person.js";
import { foundEntry, groupEntry } from "./public_groups.js";
import { showError, showToast } from "./toast.js";

/** @typedef {import("../conversations/store.js").Contact} Contact */
/** @typedef {import("../accounts/user_directory.js").Person & {name: string}} NamedPerson */
/** @typedef {import("./public_groups.js").Found} Found */

const SEARCH_DELAY = 200; // milliseconds after the last keystroke
const CONTACTS_SHOWN = 100; // and as many more with each "Show more"
const USER_NAME = /^@?[^\s@]{3,32}$/u; // a search for it also asks for a user of this name

/**
 * Create the left pane.
 * @param {import("../conversations/store.js").Store} store
 * @param {import("../conversations/drafts.js").Drafts} drafts
 * @param {{openConversation: (summary: any) => void, loadMore: () => Promise<void>, reopened: () => void}} actions
 *   `reopened`: called when the reader has chosen the conversation that is open already
 */
export function conversationsView(store, drafts, { openConversation, loadMore, reopened }) {
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
  /** The user whose user name is `searched`. @type {NamedPerson | null} */
  let foundUser = null;
  /** The suggestions that `found` had; newer ones replace it while nothing is searched. */
  let suggested = store.suggested;
  let searched = "";
  let contactsShown = CONTACTS_SHOWN;
  /** What a new user can do first. A phone does not show the pane that has it. */
  const firstSteps = /** @type {HTMLElement} */ (byId("welcome").querySelector(".first-steps"));

  const [invitesTitle, invites] = section(strings.invitations);
  invites.setAttribute("aria-live", "polite");
  const [ownTitle, own] = section(strings.yourChats);
  const [peopleTitle, people] = section(strings.contacts);
  const [strangerTitle, stranger] = section(strings.people);
  const [moreTitle, more] = section(strings.groupsToJoin);
  const empty = el("div", { class: "empty", hidden: true });
  const button = (/** @type {() => void} */ onclick) =>
    el("button", { class: "button soft further", type: "button", text: strings.showMore, hidden: true, onclick });
  const ownFurther = button(() => loadMoreConversations());
  const peopleFurther = button(() => { contactsShown += CONTACTS_SHOWN; draw(); });
  const moreFurther = button(() => loadMoreGroups().catch(showError));
  const browse = el("button", {
    class: "button soft further", type: "button", text: strings.browseGroups, "aria-haspopup": "dialog", "data-action": "find",
  });
  lists.replaceChildren(invitesTitle, invites, ownTitle, own, ownFurther, empty, peopleTitle, people, peopleFurther, strangerTitle, stranger, moreTitle, more, moreFurther, browse);

  /** Show the next page of the conversations. */
  async function loadMoreConversations() {
    const { next } = store;
    const { activeElement } = document;
    const first = own.childElementCount;
    await loadMore();
    if (store.next === next) return; // the request failed; the button repeats it
    draw();
    if (activeElement === ownFurther && ownFurther.hidden) own.children[first]?.querySelector("a")?.focus();
    observer.unobserve(ownFurther); // observing again calls back if the button is still in view
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
    if (!query && !store.suggested) { found = []; foundNext = null; foundOwn = []; foundUser = null; }
    else {
      const nothing = { groups: [], conversations: [], next: null, user: null };
      const fetchFound = (/** @type {string} */ path, /** @type {Record<string, string>} */ parameters = { query }) =>
        api.get(path, parameters).catch(() => nothing);
      const name = query.replace(/^@/, "");
      // The page itself searches the loaded conversations.
      const [{ groups, next }, { conversations }, { user }] = await Promise.all([
        fetchFound("/api/groups"),
        query && store.next ? fetchFound("/api/conversations", { query: name }) : nothing,
        USER_NAME.test(query) ? fetchFound("/api/users", { name }) : nothing]);
      if (query !== search.value.trim()) return;
      foundUser = user;
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
      own.childElementCount + people.childElementCount + stranger.childElementCount + more.childElementCount) : "");
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

  /** @param {NamedPerson} person */
  async function addContact({ name }) {
    try {
      const { contact } = await api.post("/api/contacts", { name });
      store.setContacts([contact], false);
      showToast(strings.contactAdded);
      search.focus(); // the button is removed; the contact is in the list
    } catch (error) {
      showError(error);
    }
  }

  /** Draw the user whose user name is the query, if the reader can add this user as a contact. */
  function drawStranger() {
    const shown = foundUser && foundUser.id !== store.user.id && !store.contacts.has(foundUser.id) ? foundUser : null;
    updateChildren(stranger, ...(shown ? [foundEntry(avatarWithPresence(store, shown), nameOf(shown), `@${shown.name}`, {
      text: strings.add, label: strings.addNamed(shown.name), act: () => addContact(shown),
    })] : []));
    strangerTitle.hidden = !shown;
  }

  function drawFound() {
    if (suggested !== store.suggested && !search.value.trim()) {
      suggested = store.suggested;
      ({ groups: found, next: foundNext } = suggested ?? { groups: [], next: null });
    }
    const open = found.filter(({ joined, id }) => !joined && !store.conversations.has(id));
    updateChildren(more, ...open.map((group) => groupEntry(group, join)));
    moreTitle.hidden = more.childElementCount === 0;
    moreFurther.hidden = foundNext === null;
  }

  /** @param {string} query */
  function drawInvitations(query) {
    const shown = [...store.invitations.values()].filter(({ title, by }) => matches(query, title, nameOf(by), `@${by.name}`));
    updateChildren(invites, ...shown.map((invitation) =>
      invitationItem(store, invitation, { openConversation, done: () => search.focus() })));
    invitesTitle.hidden = shown.length === 0;
  }

  /** Draw the contacts without a chat in the list. @param {string} query */
  function drawPeople(query) {
    const listed = new Set([...store.conversations.values()]
      .filter((conversation) => conversation.isPrivate && isListed(conversation))
      .map(({ peer }) => peer?.id));
    const matching = [...store.contacts.values()].filter((contact) =>
      !listed.has(contact.id) && matches(query, nameOf(contact), `@${contact.name}`));
    const shown = matching.slice(0, contactsShown);
    peopleFurther.hidden = shown.length === matching.length;
    const state = shown.map(({ id, nickname, picture, online, blocked }) => [id, nickname, picture, online, blocked]).join();
    if (people.dataset.state === state) return;
    people.dataset.state = state;
    updateChildren(people, ...shown.map((contact) => el("li", { "data-key": contact.id }, el("button", {
      class: "entry", type: "button", "data-key": contact.id,
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

  /** Return whether to list a conversation: a private chat without messages only while it is open. @param {import("../conversations/conversation.js").Conversation} conversation */
  const isListed = (conversation) => !conversation.isUnused || conversation.id === store.openId;

  function draw() {
    if (!store.ready) return;
    lists.setAttribute("aria-busy", "false");
    const query = fold(search.value.trim());
    const others = query ? foundOwn.filter(({ id }) => !store.conversations.has(id)) : [];
    const sorted = [...store.conversations.values(), ...others]
      .filter((conversation) => isListed(conversation) && matches(query, conversation.title, conversation.peer && `@${conversation.peer.name}`))
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
    drawStranger();
    drawEmpty(query, wanted.length + people.childElementCount + stranger.childElementCount + invites.childElementCount);
  }

  /** @param {string} query @param {number} shown */
  function drawEmpty(query, shown) {
    const nothing = shown === 0 && (query ? fold(searched) === query && more.childElementCount === 0 : true);
    empty.hidden = !nothing;
    browse.hidden = nothing || Boolean(query); // a new user has the button in the first steps
    if (!nothing) return;
    const state = search.value.trim();
    if (empty.dataset.state === state) return;
    empty.dataset.state = state;
    empty.replaceChildren(...(query
      ? [el("p", { text: strings.nothingFound(state) }), el("p", { text: strings.findHint })]
      : [el("b", { text: strings.noChats }), el("p", { text: strings.noChatsHint }), firstSteps.cloneNode(true)]));
  }

  search.addEventListener("input", () => { foundUser = null; draw(); runSearch(); });
  search.addEventListener("focus", () => runSearch()); // groups may be new since the last search
  search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const key = keyOf(event);
    if (key === "Escape") clearSearch();
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

  lists.addEventListener("click", ({ target }) => {
    if (!(/** @type {Element} */ (target).closest("[aria-current]"))) return;
    clearSearch(); // it is open already, so no new route does this
    reopened();
  });

  store.subscribe(["conversations", "contacts", "invitations", "open"], () => { draw(); drawFound(); });
  /** Show all conversations again. */
  function clearSearch() {
    if (!search.value) return;
    search.value = "";
    foundUser = null;
    draw();
    runSearch();
  }

  return { focusSearch: () => search.focus(), clearSearch };
}

/** @param {string} query folded @param {...(string | null | undefined)} names */
const matches = (query, ...names) => !query || names.some((name) => name && fold(name).includes(query));

/** Create a heading and its list. @param {string} title */
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
  if (focused && parent.contains(focused)) focused.focus({ preventScroll: true }); // a move removes the focus
}
