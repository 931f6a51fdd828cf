/**
 * The server's time, and calls to listeners that show a time.
 *
 * The reader's clock may be wrong by minutes or years. So the page uses the time of the server, which each
 * hello and pong holds.
 */

const MINUTE = 60_000; // milliseconds
const TOLERANCE = 2_000; // milliseconds: a frame may take this long to arrive

/** The server's clock minus this machine's, in milliseconds. */
let offset = 0;
let currentZone = readZone();
/** @type {(() => void)[]} */
const listeners = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Return the server's time, in milliseconds since the epoch. */
export const now = () => Date.now() + offset;

/** Return the reader's time zone, which changes when the reader travels. */
export const zone = () => currentZone;

/** Adopt the server's time, from a hello or a pong. @param {number} at milliseconds since the epoch */
export function setServerTime(at) {
  const measured = at - Date.now();
  if (!Number.isFinite(measured) || Math.abs(measured - offset) < TOLERANCE) return;
  offset = measured;
  tick();
}

/**
 * Register a listener for the passing of time.
 * @param {() => void} listener called at the beginning of each minute (hours and days begin there too), when
 *   the page becomes visible again, and after the server's time was adopted
 */
export function onTick(listener) {
  listeners.push(listener);
  if (listeners.length > 1) return;
  for (const eventName of ["focus", "pageshow"]) addEventListener(eventName, tick);
  document.addEventListener("visibilitychange", tick);
  schedule();
}

function tick() {
  currentZone = readZone();
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
