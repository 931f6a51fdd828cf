/**
 * The route, kept in the fragment of the address: `#/` the list, `#/12` a conversation, `#/12/members`,
 * `#/12/search`.
 *
 * The back button of the page and that of the browser do the same: each step remembers from where it
 * came, and going up returns there if the reader came from there.
 *
 * @typedef {"members" | "search"} Panel
 * @typedef {{conv: number | null, panel: Panel | null}} Route
 */

/** @returns {Route} */
export function currentRoute() {
  const match = /^#\/(\d+)(?:\/(members|search))?$/.exec(location.hash);
  return { conv: match ? Number(match[1]) : null, panel: /** @type {Panel | undefined} */ (match?.[2]) ?? null };
}

/** @param {number | null} conv @param {Panel | null} [panel] */
export function href(conv, panel = null) {
  return conv === null ? "#/" : `#/${conv}${panel ? `/${panel}` : ""}`;
}

/** Go one step deeper. @param {string} to */
export function navigate(to) {
  if (to === location.hash) return;
  history.pushState({ from: location.hash || "#/" }, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

// history.back() is asynchronous: a second call before the first has taken effect would leave the page.
let goingBack = false;
addEventListener("popstate", () => (goingBack = false));

/** Go one step up: back in the history if the reader came from there. @param {string} to */
export function navigateUp(to) {
  if (history.state?.from === to) {
    if (!goingBack) history.back();
    goingBack = true;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** @param {(route: Route) => void} listener called for every move, also by the browser's buttons */
export function onNavigate(listener) {
  addEventListener("popstate", () => listener(currentRoute()));
}
