// @ts-check
/** What this tab of the browser keeps over a reload of a page. */

/** Return what was kept under a name; undefined if nothing was. @param {string} name @returns {any} */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(`tour.${name}`) ?? "null") ?? undefined;
  } catch {
    return undefined; // kept by an older tour
  }
}

/** Keep a value. @param {string} name @param {any} value */
export function keep(name, value) {
  try {
    sessionStorage.setItem(`tour.${name}`, JSON.stringify(value));
  } catch {
    // The browser has no room left. The page works without.
  }
}
