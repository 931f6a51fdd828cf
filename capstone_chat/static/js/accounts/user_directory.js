/**
 * The latest nickname and picture of each user.
 *
 * An event holds nickname and picture of its author at the time when it was fetched. This module keeps the
 * latest ones, and its listeners update elements that show older ones.
 *
 * @typedef {{id: number, nickname: string, picture?: string | null}} Person
 */

import { strings } from "../i18n/strings.js";

const DELETED = "deleted user"; // the server's nickname for every deleted account

/** @type {Map<number, Person>} */
const known = new Map();
/** @type {((person: Person) => void)[]} */
const listeners = [];

/** Register a listener for changes of users. @param {(person: Person) => void} listener called when a nickname or picture changed, or a user is new */
export function onUserChange(listener) {
  listeners.push(listener);
}

/** Store the nickname and picture of a user, from the server's latest answer. @param {Person | undefined} person */
export function remember(person) {
  if (!person) return;
  const { id, nickname, picture = null } = person;
  const before = known.get(id);
  if (before?.nickname === nickname && before.picture === picture) return;
  known.set(id, { id, nickname, picture });
  for (const listener of listeners) listener({ id, nickname, picture });
}

/** Return the latest nickname and picture of a user. @param {Person} person as an event holds it @returns {Person} */
export const latest = (person) => known.get(person.id) ?? person;

/** Return the nickname to show for a user, translated for a deleted account. @param {Person} person */
export function nameOf(person) {
  const { nickname } = latest(person);
  return nickname === DELETED ? strings.deletedUser : nickname;
}
