/** Where messages are written. Grows with the text; Enter sends, Shift+Enter breaks the line. */

import { call } from "../api.js";
import { byId, el, setText } from "../dom.js";
import { nameOf } from "../people.js";
import { strings } from "../strings.js";
import { mishap } from "./notice.js";

const WARN_AT = 200; // characters left

/** As the server counts: code points, not UTF-16 units. @param {string} text */
const length = (text) => [...text.trim()].length;

/**
 * @param {import("../store.js").Store} store
 * @param {import("../drafts.js").Drafts} drafts
 * @param {{send: (text: string) => void, typing: () => void, back: () => boolean}} actions
 *   `back`: to one's own last message, if there is one
 */
export function composerView(store, drafts, { send, typing, back }) {
  const field = byId("composer");
  const remaining = byId("remaining");
  const form = byId("composer-form");
  const barredBy = byId("barred");
  const button = form.querySelector("button");
  /** @type {import("../store.js").Conversation | undefined} */
  let conversation;
  /** For which conversation `barredBy` was drawn last, and how. */
  let drawn = "";

  const fits = () => length(field.value) > 0 && length(field.value) <= store.limits.text;

  const keep = () => conversation && drafts.keep(conversation.id, field.value);

  /** In place of the field, when the two cannot write to each other. */
  function drawBarred() {
    const peer = conversation?.peer;
    const deleted = Boolean(conversation?.peerDeleted);
    const barred = deleted || Boolean(peer && store.contacts.get(peer.id)?.blocked);
    const state = `${conversation?.id} ${barred} ${deleted}`;
    if (state === drawn) return;
    drawn = state;
    const hadFocus = barredBy.contains(document.activeElement);
    form.hidden = barred;
    barredBy.hidden = !barred;
    if (!barred || !peer) {
      draw();
      if (hadFocus) field.focus();
      return;
    }
    if (deleted) return barredBy.replaceChildren(el("p", { text: strings.peerDeleted }));
    barredBy.replaceChildren(
      el("p", { text: strings.youBlocked(nameOf(peer)) }),
      el("button", {
        class: "button", type: "button", text: strings.unblock,
        onclick: () => call("PUT", `/api/contacts/${peer.id}`, { blocked: false })
          .then(({ contacts }) => store.setContacts(contacts)).catch(mishap),
      }));
  }

  function draw() {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`; // with its border
    const left = store.limits.text - (field.value.length < store.limits.text - WARN_AT ? 0 : length(field.value));
    setText(remaining, left <= WARN_AT ? strings.remaining(left) : "");
    remaining.classList.toggle("over", left < 0);
    if (left < 0) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    button.setAttribute("aria-disabled", String(!fits()));
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!fits()) return;
    send(field.value.trim());
    field.value = "";
    keep();
    draw();
    field.focus();
  });
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowUp" && !field.value && back()) return event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => {
    keep();
    if (field.value.trim()) typing();
    draw();
  });

  store.subscribe(["contacts"], drawBarred);

  return {
    /** @param {import("../store.js").Conversation | undefined} next */
    show(next) {
      if (next === conversation) return;
      conversation = next;
      field.value = next ? drafts.of(next.id) : "";
      drawBarred();
      draw();
    },
    focus: () => field.focus(),
  };
}
