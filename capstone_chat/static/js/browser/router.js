/**
 * Where the reader is, kept in the address: `#/` the list, `#/12` a conversation, `#/12/members`,
 * `#/12/search`.
 *
 * The back button of the page and that of the browser do the same: each step remembers from where it
 * came, and going up returns there if that is where one came from.
 *
 * @typedef {"members" | "search"} Panel
 * @typedef {{conv: number | null, panel: Panel | null}} Place
 */

/** @returns {Place} */
export function here() {
  const match = /^#\/(\d+)(?:\/(members|search))?$/.exec(location.hash);
  return { conv: match ? Number(match[1]) : null, panel: /** @type {Panel | undefined} */ (match?.[2]) ?? null };
}

/** @param {number | null} conv @param {Panel | null} [panel] */
export function href(conv, panel = null) {
  return conv === null ? "#/" : `#/${conv}${panel ? `/${panel}` : ""}`;
}

/** One step deeper. @param {string} to */
export function go(to) {
  if (to === location.hash) return;
  history.pushState({ from: location.hash || "#/" }, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

// The browser goes back some time after it was asked to. Asked twice, it would leave the page.
let goingBack = false;
addEventListener("popstate", () => (goingBack = false));

/** One step up: back if we came from there. @param {string} to */
export function up(to) {
  if (history.state?.from === to) {
    if (!goingBack) history.back();
    goingBack = true;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** @param {(place: Place) => void} listener called for every move, also by the browser's buttons */
export function onMove(listener) {
  addEventListener("popstate", () => listener(here()));
}
