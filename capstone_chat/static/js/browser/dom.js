/** Functions that build elements. Texts become text nodes; no function takes HTML. */

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `text`, `class` and listeners (`onclick`) too;
 *   false, null and undefined leave an attribute out
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return the element of the page with an id; throw if there is none. @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}`);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
// The address of the icons has a version, so they come from the cache, also while the server cannot be reached.
const icons = document.body.dataset.icons ?? "";

/**
 * Create an icon from icons.svg.
 * @param {string} name
 * @param {string} [label] for screen readers; without it the icon is decoration
 */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${icons}#${name}`);
  svg.append(use);
  return svg;
}

/** Set a text only if it differs, so that an unchanged page costs nothing. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Return a function that calls `work` once no call has followed for `wait` milliseconds.
 * @template {any[]} A
 * @param {number} wait
 * @param {(...args: A) => void} work
 */
export function debounce(wait, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (/** @type {A} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(work, wait, ...args);
  };
}
