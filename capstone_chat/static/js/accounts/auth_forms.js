/** The login and register forms: what they do beyond what a form does without JavaScript. */

import { ApiError, get, post } from "../api.js";
import { debounce } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

const SHORTEST_PASSWORD = 8;
const CHECK_AFTER = 350; // milliseconds of rest in typing

const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-form]"));
const kind = form.dataset.form;

/** @param {string} name @returns {HTMLInputElement | null} */
const input = (name) => form.querySelector(`input[name="${name}"]`);

/** Say under a field what is wrong with it, or that it is fine. @param {string} name @param {string} message @param {boolean} [good] */
function say(name, message, good = false) {
  const field = input(name);
  const place = document.getElementById(`${name}-error`);
  if (!field || !place) return;
  place.textContent = message;
  place.hidden = !message;
  place.className = good ? "hint good" : "error";
  if (message && !good) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

// Errors beside the field instead of the browser's bubbles.

form.noValidate = true;

/** @param {HTMLInputElement} field */
function problem({ name, value }) {
  if (!value.trim()) return strings.required;
  if (kind !== "register") return "";
  if (name === "password" && [...value].length < SHORTEST_PASSWORD) return strings.passwordShort;
  if (name === "confirmation" && value !== input("password")?.value) return strings.passwordsDiffer;
  return "";
}

const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input.input")]);
form.addEventListener("submit", (event) => {
  const wrong = fields.filter((field) => {
    const message = problem(field);
    if (message || !field.hasAttribute("data-taken")) say(field.name, message);
    return message || field.hasAttribute("data-taken");
  });
  if (wrong.length === 0) return;
  event.preventDefault();
  wrong[0].focus();
});
for (const field of fields) {
  field.addEventListener("input", () => say(field.name, ""));
  field.addEventListener("change", () => field.value && say(field.name, problem(field)));
}

// The captcha: another picture, and the sound.

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
        say("captcha", "");
      } else {
        const source = `/captcha/${id.value}.wav`;
        if (!player.src.endsWith(source)) player.src = source;
        player.currentTime = 0;
        await player.play();
      }
      answer.focus();
    } catch (error) {
      say("captcha", error instanceof ApiError ? error.message : strings.tryAgain);
    }
  });
}

// Show what is written in a password field.

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
  form.addEventListener("submit", () => field && (field.type = "password")); // so that it is not kept as text
}

// Whether the user name is free, while it is typed.

const name = input("name");
if (kind === "register" && name) {
  const check = debounce(CHECK_AFTER, async () => {
    const asked = name.value;
    if (!asked.trim()) return;
    try {
      const { available, problem: taken } = await get("/api/names", { name: asked });
      if (name.value !== asked) return;
      name.toggleAttribute("data-taken", !available);
      say("name", available ? strings.nameFree : (taken ?? strings.tryAgain), available);
    } catch {
      // Too fast, or no answer: the server looks again when the form comes.
    }
  });
  name.addEventListener("input", () => {
    name.removeAttribute("data-taken");
    check();
  });
  if (!document.getElementById("name-error")?.textContent) check(); // what was typed before this script came
}
