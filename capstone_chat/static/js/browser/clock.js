/**
 * The time, and a call to all that show it whenever it moves on.
 *
 * The time is the server's: a reader's clock may be wrong by minutes or years. Every greeting and pong
 * of the socket says what time it is there.
 */

const MINUTE = 60_000; // milliseconds
const TOLERANCE = 2_000; // milliseconds: how long an answer may have been on its way

/** The server's clock minus this machine's, in milliseconds. */
let offset = 0;
let current = readZone();
/** @type {(() => void)[]} */
const listeners = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Milliseconds since the epoch. */
export const now = () => Date.now() + offset;

/** The reader's time zone. It changes when the reader travels. */
export const zone = () => current;

/** The server says what time it is there. @param {number} at milliseconds since the epoch */
export function heard(at) {
  const found = at - Date.now();
  if (!Number.isFinite(found) || Math.abs(found - offset) < TOLERANCE) return;
  offset = found;
  tick();
}

/**
 * @param {() => void} listener called at least once in every minute, at its beginning: there the hour
 *   and the day change too. Also when a page that slept is seen again, or a clock was put right
 */
export function onTick(listener) {
  listeners.push(listener);
  if (listeners.length > 1) return;
  for (const moment of ["focus", "pageshow"]) addEventListener(moment, tick);
  document.addEventListener("visibilitychange", tick);
  schedule();
}

function tick() {
  current = readZone();
  for (const listener of listeners) listener();
  if (listeners.length) schedule();
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(tick, MINUTE - (now() % MINUTE));
}

function readZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
