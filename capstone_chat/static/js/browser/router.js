/**
 * The route, in the fragment of the address: `#/` is the list, `#/12` a conversation, `#/12/members` and
 * `#/12/search` are its panels, `#/12/345` is its event 345, `#/join/TOKEN` is an invite link.
 *
 * The back buttons of the page and of the browser do the same: each entry of the history remembers the entry
 * before it, and going up returns to that entry if it is one level up.
 *
 * @typedef {"members" | "search"} Panel
 * @typedef {{conv: number | null, panel: Panel | null, seq: number | null, token: string | null}} Route
 */

/** Return the route of the current address. @returns {Route} */
export function currentRoute() {
  const [, conv, panel, seq] = /^#\/(\d{1,15})(?:\/(?:(members|search)|(\d{1,15})))?$/.exec(location.hash) ?? [];
  return {
    conv: conv ? Number(conv) : null,
    panel: /** @type {Panel | undefined} */ (panel) ?? null,
    seq: seq ? Number(seq) : null,
    token: /^#\/join\/([\w-]+)$/.exec(location.hash)?.[1] ?? null,
  };
}

/** Return the whole address of an invite link. @param {string} token */
export const inviteAddress = (token) => `${location.origin}/#/join/${token}`;

/** Return the address of a route. @param {number | null} conv @param {Panel | number | null} [part] its panel, or the seq of an event */
export function href(conv, part = null) {
  return conv === null ? "#/" : `#/${conv}${part ? `/${part}` : ""}`;
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

/** Register a listener for changes of the route. @param {(route: Route) => void} listener also called for the browser's buttons */
export function onNavigate(listener) {
  addEventListener("popstate", () => listener(currentRoute()));
}
