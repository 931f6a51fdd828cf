// @ts-check
/** Functions that build and find elements. Texts become text nodes; no function takes HTML. */

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes] also `text`, and listeners such as `onclick`; false, null and
 *   undefined leave an attribute out
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Create a button.
 * @param {string} text
 * @param {() => void} onclick
 * @param {Record<string, any>} [attributes]
 * @returns {HTMLButtonElement}
 */
export const button = (text, onclick, attributes = {}) =>
  element("button", { type: "button", text, onclick, ...attributes });

/**
 * Create a label around a control.
 * @param {string} text
 * @param {HTMLElement} control
 * @param {Record<string, any>} [attributes]
 */
export const labelled = (text, control, attributes = {}) =>
  element("label", attributes, element("span", { text }), control);

/** The region whose changes a screen reader reads. */
const status = element("p", { class: "visually-hidden", role: "status", id: "announcements" });

/** Let a screen reader read a text. @param {string} text */
export function announce(text) {
  if (!status.isConnected) document.body.append(status);
  status.textContent = text;
}

/** Return a number of seconds as a text. @param {number} seconds */
export const inSeconds = (seconds) => `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
