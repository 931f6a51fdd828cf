/** Improvements of the login and register forms, which also work without JavaScript. */

import { ApiError, get, post } from "../api.js";
import { debounce } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

const MIN_PASSWORD_LENGTH = 8;
const CHECK_DELAY = 350; // milliseconds after the last keystroke

const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-form]"));
const kind = form.dataset.form;

/** @param {string} name @returns {HTMLInputElement | null} */
const input = (name) => form.querySelector(`input[name="${name}"]`);

/** Show a message under a field: an error, or that the value is valid. @param {string} name @param {string} message @param {boolean} [good] */
function showMessage(name, message, good = false) {
  const field = input(name);
  const element = document.getElementById(`${name}-error`);
  if (!field || !element) return;
  element.textContent = message;
  element.hidden = !message;
  element.className = good ? "hint good" : "error";
  if (message && !good) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

// The fragment names the conversation to open after the login. Browsers keep it in a redirect to this page,
// and do not send it to the server.

const next = input("next");
if (next && location.hash) {
  next.value = `${next.value.split("#")[0]}${location.hash}`;
  for (const link of document.querySelectorAll(".card footer a")) /** @type {HTMLAnchorElement} */ (link).hash = location.hash;
}

// Show errors beside the field instead of the browser's own bubbles.

form.noValidate = true;

/** @param {HTMLInputElement} field */
function validationError({ name, value }) {
  if (!value.trim()) return strings.required;
  if (kind !== "register") return "";
  if (name === "password" && [...value].length < MIN_PASSWORD_LENGTH) return strings.passwordShort;
  if (name === "confirmation" && value !== input("password")?.value) return strings.passwordsDiffer;
  return "";
}

const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input.input")]);
form.addEventListener("submit", (event) => {
  const wrong = fields.filter((field) => {
    const message = validationError(field);
    if (message || !field.hasAttribute("data-taken")) showMessage(field.name, message);
    return message || field.hasAttribute("data-taken");
  });
  if (wrong.length === 0) return;
  event.preventDefault();
  wrong[0].focus();
});
for (const field of fields) {
  field.addEventListener("input", () => showMessage(field.name, ""));
  field.addEventListener("change", () => field.value && showMessage(field.name, validationError(field)));
}

// The captcha: load another picture, and play the sound.

const picture = /** @type {HTMLImageElement | null} */ (form.querySelector(".captcha img"));
const player = new Audio();

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[data-captcha]"))) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const id = input("captcha_id");
    const answer = input("captcha");
    if (!id || !answer || !picture) return;
    try {
      if (button.dataset.captcha === "picture") {
        id.value = (await post(`/captcha/${kind}`)).captcha_id;
        picture.src = `/captcha/${id.value}.png`;
        player.pause();
        answer.value = "";
        showMessage("captcha", "");
      } else {
        const source = `/captcha/${id.value}.wav`;
        if (!player.src.endsWith(source)) player.src = source;
        player.currentTime = 0;
        await player.play();
      }
      answer.focus();
    } catch (error) {
      showMessage("captcha", error instanceof ApiError ? error.message : strings.tryAgain);
    }
  });
}

// Show the password as text while the reader wants it.

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[data-reveal]"))) {
  const field = input(button.dataset.reveal ?? "");
  button.hidden = false;
  button.addEventListener("click", () => {
    if (!field) return;
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.title = shown ? strings.hidePassword : strings.showPassword;
  });
  form.addEventListener("submit", () => field && (field.type = "password")); // so that the browser does not store it as text
}

// Check while the user name is typed whether it is free.

const name = input("name");
if (kind === "register" && name) {
  const check = debounce(CHECK_DELAY, async () => {
    const checkedName = name.value;
    if (!checkedName.trim()) return;
    try {
      const { available, problem: taken } = await get("/api/names", { name: checkedName });
      if (name.value !== checkedName) return;
      name.toggleAttribute("data-taken", !available);
      showMessage("name", available ? strings.nameFree : (taken ?? strings.tryAgain), available);
    } catch {
      // Rate limited, or no answer: the server checks again when the form is sent.
    }
  });
  name.addEventListener("input", () => {
    name.removeAttribute("data-taken");
    check();
  });
  if (!document.getElementById("name-error")?.textContent) check(); // the name was typed before this script was loaded
}
