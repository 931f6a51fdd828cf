/**
 * What people are called and look like now.
 *
 * Every event says it of its author, at the time when it was fetched. The newest word is kept here,
 * and what stands in the page already is brought up to it.
 *
 * @typedef {{id: number, nickname: string, picture?: string | null}} Person
 */

import { strings } from "../i18n/strings.js";

const DELETED = "deleted user"; // what the server calls everybody who has deleted the account

/** @type {Map<number, Person>} */
const known = new Map();
/** @type {((person: Person) => void)[]} */
const listeners = [];

/** @param {(person: Person) => void} listener called when somebody looks different, or is met for the first time */
export function onChange(listener) {
  listeners.push(listener);
}

/** Take note of somebody, from the server's newest word. @param {Person | undefined} person */
export function meet(person) {
  if (!person) return;
  const { id, nickname, picture = null } = person;
  const before = known.get(id);
  if (before?.nickname === nickname && before.picture === picture) return;
  known.set(id, { id, nickname, picture });
  for (const listener of listeners) listener({ id, nickname, picture });
}

/** Somebody as they are now. @param {Person} person as an event has them @returns {Person} */
export const now = (person) => known.get(person.id) ?? person;

/** @param {Person} person */
export function nameOf(person) {
  const { nickname } = now(person);
  return nickname === DELETED ? strings.deletedUser : nickname;
}
