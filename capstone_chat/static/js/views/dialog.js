/**
 * Dialogs, and forms in dialogs, made from a description of their fields.
 *
 * @typedef {{name: string, label: string, kind?: "text"|"password"|"textarea"|"choice"|"checks", hint?: string,
 *            note?: string, value?: string, maxLength?: number, optional?: boolean,
 *            autocomplete?: string, options?: {value: string, label: string, hint?: string}[]}} Field
 *   `hint` stands below the field; `note` beside its label. A choice has one of its `options`; checks have any
 *   number of them, in the values separated by spaces
 */

import { ApiError } from "../api.js";
import { el, icon } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

/**
 * Open a dialog over the page. Escape, a click beside it and its buttons close it. The focus then returns to
 * its former element.
 * @param {string} title
 * @param {...(Node | null | false)} content
 */
export function openDialog(title, ...content) {
  const heading = `dialog-title-${document.querySelectorAll("dialog").length}`; // a dialog may open another one
  const dialog = /** @type {HTMLDialogElement} */ (el("dialog", { class: "dialog", "aria-labelledby": heading },
    el("header", {},
      el("h2", { id: heading, text: title }),
      el("button", { class: "icon-button", type: "button", "data-close": true, "aria-label": strings.close }, icon("close"))),
    ...content));
  dialog.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("[data-close]")) return dialog.close();
    if (event.target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Open a dialog with a form, or with a question that has no fields.
 * @param {{title: string, text?: string, fields?: Field[], action: string, danger?: boolean,
 *          submit: (values: Record<string, string>) => Promise<void | (() => void)>}} question
 *   `submit` gets the values: when it throws an ApiError, the message is shown beside its field; a
 *   function that it returns is called after the dialog has closed and returned the focus
 */
export function openFormDialog({ title, text, fields = [], action, danger = false, submit }) {
  const parts = new Map(fields.map((field) => [field.name, draw(field)]));
  const formError = el("p", { class: "error", role: "alert", hidden: true });
  const button = /** @type {HTMLButtonElement} */ (
    el("button", { class: danger ? "button danger" : "button primary", type: "submit", text: action }));
  const form = el("form", { novalidate: true },
    text && el("p", { text }),
    ...[...parts.values()].map(({ element }) => element),
    formError,
    el("div", { class: "actions" },
      el("button", { class: "button", type: "button", "data-close": true, text: strings.cancel }),
      button));
  const dialog = openDialog(title, form);
  const first = parts.values().next().value?.input;
  (first ?? form.querySelector("[data-close]")).focus();
  if (first instanceof HTMLInputElement) first.select();

  /** @param {string | undefined} field @param {string} message */
  function showFieldError(field, message) {
    const part = parts.get(field ?? "");
    const element = part?.error ?? formError;
    element.textContent = message;
    element.hidden = false;
    part?.input.setAttribute("aria-invalid", "true");
    part?.input.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    formError.hidden = true;
    for (const { input, error } of parts.values()) {
      error.hidden = true;
      input.removeAttribute("aria-invalid");
    }
    const data = new FormData(/** @type {HTMLFormElement} */ (form));
    const given = Object.fromEntries(fields.map(({ name, kind }) => {
      const value = data.getAll(name).join(" ");
      return [name, kind === "password" ? value : value.trim()]; // white space at the ends of a password counts
    }));
    const empty = fields.find(({ name, optional }) => !optional && !given[name]);
    if (empty) return showFieldError(empty.name, strings.required);
    button.disabled = true;
    try {
      const after = await submit(given);
      dialog.close();
      after?.();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      showFieldError(error.field, error.message);
    } finally {
      button.disabled = false;
    }
  });
}

/** @param {Field} field */
function draw(field) {
  const { name, label, kind = "text", hint, note, value = "", maxLength, optional, autocomplete = "off" } = field;
  const id = `field-${name}`;
  const error = el("p", { class: "error", id: `${id}-error`, hidden: true });
  if (kind === "choice" || kind === "checks") return drawOptions(field, error);
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (
    el(kind === "textarea" ? "textarea" : "input", {
      class: "input", id, name, autocomplete, maxlength: maxLength, required: !optional,
      type: kind === "textarea" ? undefined : kind,
      rows: kind === "textarea" ? 3 : undefined,
      "aria-describedby": hint ? `${id}-hint ${id}-error` : `${id}-error`,
    }));
  input.value = value;
  const element = el("div", { class: "field" },
    el("label", { for: id, text: note ? `${label} ` : label }, note && el("span", { class: "hint", text: note })),
    input,
    hint && el("p", { class: "hint", id: `${id}-hint`, text: hint }),
    error);
  return { element, input, error };
}

/** @param {Field} field @param {HTMLElement} error */
function drawOptions({ name, label, kind, value, options = [] }, error) {
  const type = kind === "checks" ? "checkbox" : "radio";
  const rows = options.map((option) => {
    const id = `field-${name}-${option.value}`;
    const input = el("input", { type, id, name, value: option.value, "aria-describedby": option.hint && `${id}-hint` });
    /** @type {HTMLInputElement} */ (input).checked = option.value === value;
    return el("div", { class: "option" }, input,
      el("label", { for: id, text: option.label }),
      option.hint && el("p", { class: "hint", id: `${id}-hint`, text: option.hint }));
  });
  const element = el("fieldset", { class: "field choice" }, el("legend", { text: label }),
    el("div", { class: "options" }, ...rows), error);
  return { element, error, input: /** @type {HTMLInputElement} */ (rows[0].querySelector("input")) };
}
