/**
 * One conversation of the reader, with its timeline.
 *
 * @typedef {import("./timeline.js").Person} Person
 */

import { nameOf, remember } from "../accounts/user_directory.js";
import { Timeline } from "./timeline.js";

/** A group or a private chat, as the reader sees it. */
export class Conversation {
  kind = "group";
  /** Of a group: title, description, whether it is public, the reader's role, the number of members. */
  name = "";
  description = "";
  public = true;
  role = "member";
  members = 0;
  /** The other person of a private chat. @type {(Person & {name: string}) | null} */
  peer = null;
  /** Whether the other person of a private chat has deleted the account. */
  peerDeleted = false;
  /** The read mark of the other person of a private chat. */
  peerRead = 0;
  /** The seq of the last event that is applied to the fields above. */
  appliedSeq = 0;
  /** The seq of the last event that changed one of these fields. */
  lastChange = 0;
  /** The read mark that was sent, and the one that the server is known to have. */
  readSent = 0;
  readConfirmed = 0;

  /** @param {number} id @param {number} me */
  constructor(id, me) {
    this.id = id;
    this.timeline = new Timeline(me);
  }

  /** @param {any} summary as the API gives it */
  update(summary) {
    const { kind, description, role, members, head, peer = null } = summary;
    if (head >= this.appliedSeq) {
      this.appliedSeq = this.lastChange = head;
      remember(peer);
      const { title: name, public: isPublic } = summary;
      Object.assign(this, { kind, name, description, public: isPublic, role, members, peer });
    }
    this.peerDeleted = Boolean(summary.peer_deleted);
    this.peerRead = Math.max(this.peerRead, summary.peer_read ?? 0);
    this.readSent = this.readConfirmed = summary.read;
    this.timeline.applySummary(summary);
  }

  /** The title of a group, or the nickname of the other person of a private chat. */
  get title() {
    return this.peer ? nameOf(this.peer) : this.name;
  }

  get isPrivate() {
    return this.kind === "private";
  }

  /** True for a private chat in which nobody has written yet. */
  get isUnused() {
    return this.isPrivate && this.timeline.latest?.type === "member";
  }

  /**
   * Apply the next event, which may change the conversation itself.
   * @param {import("./timeline.js").ChatEvent} event @param {number} me
   * @returns {boolean} whether it did
   */
  apply({ type, seq, text, change, user }, me) {
    this.appliedSeq = seq;
    if (type === "message" || type === "edited" || type === "deleted") return false;
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
