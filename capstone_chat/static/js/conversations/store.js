/**
 * What the page knows, and who wants to hear of a change.
 *
 * Views subscribe to topics. However much changes, a view is drawn at most once a frame.
 *
 * @typedef {import("./timeline.js").Person} Person
 * @typedef {"conversations"|"contacts"|"open"|"timeline"|"members"|"typing"|"connection"|"user"|"invitations"} Topic
 * @typedef {Person & {name: string, blocked: boolean, online: boolean}} Contact
 * @typedef {{conv: number, title: string, members: number, at: number, by: Person & {name: string}}} Invitation
 */

import { meet, nameOf } from "../accounts/user_directory.js";
import { Timeline } from "./timeline.js";

const TYPING_LASTS = 4_000; // milliseconds
const byNickname = new Intl.Collator();

/** One conversation of the reader's. */
export class Conversation {
  kind = "group";
  /** Of a group. */
  name = "";
  description = "";
  public = true;
  role = "member";
  members = 0;
  /** Of a private chat: the other person. @type {(Person & {name: string}) | null} */
  peer = null;
  /** Of a private chat: whether the other person has deleted the account. */
  peerDeleted = false;
  /** Of a private chat: how far the other person has read. */
  peerRead = 0;
  /** Events up to this seq are contained in what is said above. */
  asOf = 0;
  /** The last of them that changed any of it. */
  lastChange = 0;
  /** The read mark that was sent, and the one that the server is known to have. */
  readSent = 0;
  readHeard = 0;

  /** @param {number} id @param {number} me */
  constructor(id, me) {
    this.id = id;
    this.timeline = new Timeline(me);
  }

  /** @param {any} summary as the API gives it */
  update(summary) {
    const { kind, description, role, members, head, peer = null } = summary;
    if (head >= this.asOf) {
      this.asOf = this.lastChange = head;
      meet(peer);
      const { title: name, public: isPublic } = summary;
      Object.assign(this, { kind, name, description, public: isPublic, role, members, peer });
    }
    this.peerDeleted = Boolean(summary.peer_deleted);
    this.peerRead = Math.max(this.peerRead, summary.peer_read ?? 0);
    this.readSent = this.readHeard = summary.read;
    this.timeline.summary(summary);
  }

  /** What it is called: a private chat by the other person's name. */
  get title() {
    return this.peer ? nameOf(this.peer) : this.name;
  }

  get isPrivate() {
    return this.kind === "private";
  }

  /** A private chat that was opened and in which nobody has written yet. */
  get isUnused() {
    return this.isPrivate && this.timeline.latest?.type === "member";
  }

  /**
   * Take in the next event, which may say something of the conversation itself.
   * @param {import("./timeline.js").ChatEvent} event @param {number} me
   * @returns {boolean} whether it did
   */
  apply({ type, seq, text, change, user }, me) {
    this.asOf = seq;
    if (type === "message" || type === "deleted") return false;
    this.lastChange = seq;
    if (type === "title") this.name = text ?? "";
    else if (type === "description") this.description = text ?? "";
    else if (type === "visibility") this.public = text === "public";
    else if (change === "joined" || change === "added") this.members += 1;
    else if (change === "left" || change === "removed") this.members -= 1;
    else if (change === "owner") this.role = user?.id === me ? "owner" : "member";
    return true;
  }
}

export class Store {
  user = { id: 0, name: "", nickname: "", picture: null, language: "", theme: "" };
  limits = { text: 4000, title: 80, description: 300, nickname: 40 };
  /** The cursor of the next page of conversations; null when all are here. @type {string | null} */
  next = null;
  /** So many conversations have come with the pages before it. */
  paged = 0;
  /** False until the first answer of the server. */
  ready = false;
  /** @type {Map<number, Conversation>} */
  conversations = new Map();
  /** Whom the reader knows or has blocked. @type {Map<number, Contact>} */
  contacts = new Map();
  /** To groups, by their ids, the newest first. @type {Map<number, Invitation>} */
  invitations = new Map();
  /** The open conversation's id. @type {number | null} */
  openId = null;
  /** @type {"connecting"|"open"|"lost"|"refused"} */
  connection = "connecting";

  /** @type {{topics: Topic[], draw: () => void}[]} */
  #listeners = [];
  /** @type {Set<Topic>} */
  #dirty = new Set();
  /** @type {Map<number, Map<number, {person: Person, timer: ReturnType<typeof setTimeout>}>>} */
  #typing = new Map();

  constructor() {
    // A frame that was asked for does not come while the page is hidden.
    document.addEventListener("visibilitychange", () => this.#dirty.size && this.#draw());
  }

  get open() {
    return this.openId === null ? undefined : this.conversations.get(this.openId);
  }

  /** The unread messages of the conversations that are loaded: 100 others are livelier than the rest. */
  get unread() {
    let sum = 0;
    for (const { timeline } of this.conversations.values()) sum += timeline.unread;
    return sum;
  }

  /**
   * Views are drawn in the order in which they subscribed: the messages, which mark as read what they
   * show, come before the list with its counts.
   * @param {Topic[]} topics
   * @param {() => void} draw called at most once a frame
   */
  subscribe(topics, draw) {
    this.#listeners.push({ topics, draw });
  }

  /** @param {Topic[]} topics */
  changed(...topics) {
    if (this.#dirty.size === 0) {
      // A hidden page gets no frames; its title must change all the same.
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
        setTimeout(() => { throw error; }); // told to the console; the other views are drawn
      }
    }
  }

  /**
   * Take in what the server says of everything.
   * @param {any} state the answer of /api/state, with as many pages of conversations as were loaded
   * @returns {number[]} conversations that should be in it: perhaps they moved from page to page
   *   meanwhile, perhaps they are not the reader's any more
   */
  replace(state) {
    this.setUser(state.user);
    this.setContacts(state.contacts, state.contacts_next === null);
    this.limits = { ...this.limits, ...state.limits };
    this.next = state.next;
    this.paged = state.conversations.length;
    const listed = new Set(state.conversations.map((/** @type {any} */ c) => c.id));
    const oldest = state.conversations[state.conversations.length - 1]?.last?.at ?? 0;
    const doubtful = [];
    for (const [id, { timeline }] of this.conversations) {
      if (listed.has(id)) continue;
      if (!this.next) this.conversations.delete(id);
      else if ((timeline.latest?.at ?? 0) >= oldest) doubtful.push(id);
    }
    for (const summary of state.conversations) this.put(summary);
    this.setInvitations(state.invitations);
    this.ready = true;
    this.changed("conversations", "open", "timeline", "members");
    return doubtful;
  }

  /** @param {{conversations: any[], next: string | null}} page the next one of the conversations */
  add({ conversations, next }) {
    for (const summary of conversations) this.put(summary);
    this.paged += conversations.length;
    this.next = next;
    this.changed("conversations");
  }

  /** @param {number} id a conversation that is not the reader's any more */
  remove(id) {
    if (this.conversations.delete(id)) this.changed("conversations", "open", "timeline", "members");
  }

  /** @param {any} user what the server says of the reader */
  setUser(user) {
    this.user = { ...this.user, ...user };
    meet(this.user);
    this.changed("user");
  }

  /** @param {Contact[]} contacts @param {boolean} [all] whether there are no others */
  setContacts(contacts, all = true) {
    const known = all ? contacts : [...new Map([...this.contacts.values(), ...contacts].map((one) => [one.id, one])).values()];
    known.sort((a, b) => byNickname.compare(a.nickname, b.nickname) || a.id - b.id);
    this.contacts = new Map(known.map((contact) => [contact.id, contact]));
    contacts.forEach(meet);
    this.changed("contacts");
  }

  /** @param {Invitation[]} invitations all of them */
  setInvitations(invitations) {
    this.invitations = new Map(invitations.map((invitation) => [invitation.conv, invitation]));
    invitations.forEach(({ by }) => meet(by));
    this.changed("invitations");
  }

  /** @param {number} conv */
  invitationEnded(conv) {
    if (this.invitations.delete(conv)) this.changed("invitations");
  }

  /** @param {number} id somebody who is no contact any more */
  removeContact(id) {
    this.contacts.delete(id);
    this.changed("contacts");
  }

  /** @param {number[]} online the ids of the contacts who are connected */
  setOnline(online) {
    for (const contact of this.contacts.values()) contact.online = online.includes(contact.id);
    this.changed("contacts");
  }

  /** @param {number} id the contact's @param {boolean} online */
  setPresence(id, online) {
    const contact = this.contacts.get(id);
    if (!contact) return;
    contact.online = online;
    this.changed("contacts");
  }

  /** @param {any} summary one conversation, new or known */
  put(summary) {
    let conversation = this.conversations.get(summary.id);
    if (!conversation) {
      conversation = new Conversation(summary.id, this.user.id);
      this.conversations.set(summary.id, conversation);
    }
    conversation.update(summary);
    this.changed("conversations", "open");
    return conversation;
  }

  /** Who is writing in a conversation, by nickname. @param {number} conv */
  typing(conv) {
    return [...(this.#typing.get(conv)?.values() ?? [])].map(({ person }) => nameOf(person));
  }

  /** @param {number} conv @param {Person} person */
  startedTyping(conv, person) {
    const { id } = person;
    const people = this.#typing.get(conv) ?? new Map();
    this.#typing.set(conv, people);
    clearTimeout(people.get(id)?.timer);
    people.set(id, { person, timer: setTimeout(() => this.stoppedTyping(conv, id), TYPING_LASTS) });
    this.changed("typing");
  }

  /** @param {number} conv @param {number} id the person's */
  stoppedTyping(conv, id) {
    const people = this.#typing.get(conv);
    if (!people?.has(id)) return;
    clearTimeout(people.get(id)?.timer);
    people.delete(id);
    this.changed("typing");
  }
}
