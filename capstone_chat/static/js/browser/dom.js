/** Functions that build elements. Texts become text nodes; no function takes HTML. */

/** The names of all listeners. They are properties, so that an element that is kept gets the new ones. @type {Set<string>} */
const listeners = new Set();

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `text`, `class` and listeners (`onclick`) too;
 *   false, null and undefined leave an attribute out; see `updateChildren` for `data-key`
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) {
      listeners.add(name);
      /** @type {any} */ (element)[name] = value;
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Make the children of an element look like newly created ones, and keep those that need no replacement: a button
 * that is replaced between the press and the release of a mouse gets no click, and it loses the focus.
 *
 * A child stays if it looks the same or has the same `data-key`. Buttons and links without a key that differ are
 * replaced, so that a click never does what the reader did not see when the mouse was pressed.
 * @param {Element} parent
 * @param {...(Node | string)} children
 */
export function updateChildren(parent, ...children) {
  let next = parent.firstChild;
  for (const child of children) {
    const drawn = typeof child === "string" ? document.createTextNode(child) : child;
    let kept = next;
    while (kept && !isSame(kept, drawn)) kept = kept.nextSibling;
    if (!kept && next && canBecome(next, drawn)) kept = next;
    if (!kept) parent.insertBefore(drawn, next);
    else {
      while (next && next !== kept) next = removeAndStep(next);
      next = kept.nextSibling;
      updateNode(kept, drawn);
    }
  }
  while (next) next = removeAndStep(next);
}

/** Make a node look like a newly created one of the same kind. @param {Node} node @param {Node} drawn */
export function updateNode(node, drawn) {
  if (!(node instanceof Element && drawn instanceof Element)) {
    if (node.nodeValue !== drawn.nodeValue) node.nodeValue = drawn.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes]) if (!drawn.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of drawn.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  for (const name of listeners) /** @type {any} */ (node)[name] = /** @type {any} */ (drawn)[name];
  updateChildren(node, ...drawn.childNodes);
}

/** @param {Node} node */
const rowKey = (node) => (node instanceof HTMLElement ? node.dataset.key : undefined);

/** @param {Node} one @param {Node} other */
const isSame = (one, other) => one.isEqualNode(other)
  || (one.nodeName === other.nodeName && rowKey(one) !== undefined && rowKey(one) === rowKey(other));

/** @param {Node} node @param {Node} drawn */
const canBecome = (node, drawn) => node.nodeName === drawn.nodeName && rowKey(node) === rowKey(drawn)
  && !["BUTTON", "A"].includes(node.nodeName);

/** Remove a node, and return the one that followed it. @param {ChildNode} node */
function removeAndStep(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
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
