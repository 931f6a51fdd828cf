/**
 * The state of the page, and the views that show it.
 *
 * Views subscribe to topics. A view is drawn at most once in an animation frame, after any number of changes.
 *
 * @typedef {import("./timeline.js").Person} Person
 * @typedef {"conversations"|"contacts"|"open"|"timeline"|"members"|"typing"|"connection"|"user"|"invitations"} Topic
 * @typedef {Person & {name: string, blocked: boolean, online: boolean}} Contact
 * @typedef {{conv: number, title: string, members: number, at: number, by: Person & {name: string}}} Invitation
 */

import { nameOf, remember } from "../accounts/user_directory.js";
import { Conversation } from "./conversation.js";

const TYPING_TIMEOUT = 4_000; // milliseconds
const byNickname = new Intl.Collator();

/** The state of the page. Its methods change it and notify the views. */
export class Store {
  user = { id: 0, name: "", nickname: "", picture: null, language: "", theme: "" };
  limits = { text: 4000, title: 80, description: 300, nickname: 40 };
  /** The cursor of the next page of conversations; null if all are loaded. @type {string | null} */
  next = null;
  /** The first page of public groups; null for a user with many conversations. @type {{groups: any[], next: number | null} | null} */
  suggested = null;
  /** The number of conversations on the loaded pages. */
  loadedCount = 0;
  /** False until the first state of the server has arrived. */
  ready = false;
  /** @type {Map<number, Conversation>} */
  conversations = new Map();
  /** The reader's contacts, and users that the reader has blocked. @type {Map<number, Contact>} */
  contacts = new Map();
  /** Invitations to groups, by the id of the group, the newest first. @type {Map<number, Invitation>} */
  invitations = new Map();
  /** The open conversation's id. @type {number | null} */
  openId = null;
  /** @type {"connecting"|"open"|"lost"|"refused"} */
  connection = "connecting";
  /** Whether the server speaks a newer version of the protocol than this page. */
  outdated = false;

  /** @type {{topics: Topic[], draw: () => void}[]} */
  #listeners = [];
  /** @type {Set<Topic>} */
  #dirty = new Set();
  /** @type {Map<number, Map<number, {person: Person, timer: ReturnType<typeof setTimeout>}>>} */
  #typing = new Map();

  constructor() {
    // A hidden page gets no animation frames, not even those that were requested before.
    document.addEventListener("visibilitychange", () => this.#dirty.size && this.#draw());
  }

  get open() {
    return this.openId === null ? undefined : this.conversations.get(this.openId);
  }

  /**
   * The number of unread messages of the loaded conversations, and whether there may be more.
   * @returns {[number, boolean]}
   */
  get unread() {
    const timelines = [...this.conversations.values()].map(({ timeline }) => timeline);
    return [timelines.reduce((sum, { unread }) => sum + unread, 0), timelines.some(({ unreadIsLowerBound }) => unreadIsLowerBound)];
  }

  /**
   * Subscribe a view to topics. Views are drawn in the order in which they subscribed: the log marks messages
   * as read, so it comes before the list, which shows the unread counts.
   * @param {Topic[]} topics
   * @param {() => void} draw called at most once a frame
   */
  subscribe(topics, draw) {
    this.#listeners.push({ topics, draw });
  }

  /** @param {Topic[]} topics */
  notify(...topics) {
    if (this.#dirty.size === 0) {
      // A hidden page gets no frames, but its title must change.
      if (document.hidden) setTimeout(() => this.#draw());
      else requestAnimationFrame(() => this.#draw());
    }
    for (const topic of topics) this.#dirty.add(topic);
  }

  #draw() {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const { topics, draw } of this.#listeners) {
      if (!topics.some((topic) => dirty.has(topic))) continue;
      try {
        draw();
      } catch (error) {
        setTimeout(() => { throw error; }); // the console reports the error, and the other views are drawn
      }
    }
  }

  /**
   * Replace the state with the server's.
   * @param {any} state the answer of /api/state, with as many pages of conversations as were loaded
   * @returns {number[]} ids that should be in it: the conversation moved to another page meanwhile, or
   *   the reader is no longer a member
   */
  replaceAll(state) {
    this.setUser(state.user);
    this.setContacts(state.contacts, state.contacts_next === null);
    this.limits = { ...this.limits, ...state.limits };
    this.next = state.next;
    this.suggested = state.groups && { groups: state.groups, next: state.groups_next };
    this.loadedCount = state.conversations.length;
    const listed = new Set(state.conversations.map((/** @type {any} */ c) => c.id));
    const oldest = state.conversations[state.conversations.length - 1]?.last?.at ?? 0;
    const doubtful = [];
    for (const [id, { timeline }] of this.conversations) {
      if (listed.has(id)) continue;
      if (!this.next) this.conversations.delete(id);
      else if ((timeline.latest?.at ?? 0) >= oldest) doubtful.push(id);
    }
    for (const summary of state.conversations) this.upsert(summary);
    this.setInvitations(state.invitations);
    this.ready = true;
    this.notify("conversations", "open", "timeline", "members");
    return doubtful;
  }

  /** @param {{conversations: any[], next: string | null}} page the next one of the conversations */
  addPage({ conversations, next }) {
    for (const summary of conversations) this.upsert(summary);
    this.loadedCount += conversations.length;
    this.next = next;
    this.notify("conversations");
  }

  /** @param {number} id a conversation of which the reader is no longer a member */
  remove(id) {
    if (this.conversations.delete(id)) this.notify("conversations", "open", "timeline", "members");
  }

  /** @param {any} user the reader, from the API or a hello */
  setUser(user) {
    this.user = { ...this.user, ...user };
    remember(this.user);
    this.notify("user");
  }

  /** @param {Contact[]} contacts @param {boolean} [all] whether there are no others */
  setContacts(contacts, all = true) {
    const known = all ? contacts : [...new Map([...this.contacts.values(), ...contacts].map((one) => [one.id, one])).values()];
    known.sort((a, b) => byNickname.compare(a.nickname, b.nickname) || a.id - b.id);
    this.contacts = new Map(known.map((contact) => [contact.id, contact]));
    contacts.forEach(remember);
    this.notify("contacts");
  }

  /** @param {Invitation[]} invitations all of them */
  setInvitations(invitations) {
    this.invitations = new Map(invitations.map((invitation) => [invitation.conv, invitation]));
    invitations.forEach(({ by }) => remember(by));
    this.notify("invitations");
  }

  /** @param {number} conv */
  removeInvitation(conv) {
    if (this.invitations.delete(conv)) this.notify("invitations");
  }

  /** @param {number} id the user's */
  removeContact(id) {
    this.contacts.delete(id);
    this.notify("contacts");
  }

  /** @param {number[]} online the ids of the contacts who are connected */
  setOnline(online) {
    for (const contact of this.contacts.values()) contact.online = online.includes(contact.id);
    this.notify("contacts");
  }

  /** @param {number} id the contact's @param {boolean} online */
  setPresence(id, online) {
    const contact = this.contacts.get(id);
    if (!contact) return;
    contact.online = online;
    this.notify("contacts");
  }

  /** @param {any} summary one conversation, new or known */
  upsert(summary) {
    let conversation = this.conversations.get(summary.id);
    if (!conversation) {
      conversation = new Conversation(summary.id, this.user.id);
      this.conversations.set(summary.id, conversation);
    }
    conversation.update(summary);
    this.notify("conversations", "open");
    return conversation;
  }

  /** Return the nicknames of the users who are typing in a conversation. @param {number} conv */
  typingNames(conv) {
    return [...(this.#typing.get(conv)?.values() ?? [])].map(({ person }) => nameOf(person));
  }

  /** @param {number} conv @param {Person} person */
  startedTyping(conv, person) {
    const { id } = person;
    const people = this.#typing.get(conv) ?? new Map();
    this.#typing.set(conv, people);
    clearTimeout(people.get(id)?.timer);
    people.set(id, { person, timer: setTimeout(() => this.stoppedTyping(conv, id), TYPING_TIMEOUT) });
    this.notify("typing");
  }

  /** @param {number} conv @param {number} id the person's */
  stoppedTyping(conv, id) {
    const people = this.#typing.get(conv);
    if (!people?.has(id)) return;
    clearTimeout(people.get(id)?.timer);
    people.delete(id);
    this.notify("typing");
  }
}
