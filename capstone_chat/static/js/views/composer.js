/** Where messages are written. Grows with the text; which Enter sends is said in `browser/keys.js`. */

import { call } from "../api.js";
import { byId, el, setText } from "../browser/dom.js";
import { isEnterToSend, keyOf, touch } from "../browser/keys.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { hasInk, trimMessage } from "../text/visible_text.js";
import { mishap } from "./toast.js";

const WARN_AT = 200; // characters left

/** As the server counts: code points, not UTF-16 units. @param {string} text */
const length = (text) => [...trimMessage(text)].length;

/**
 * @param {import("../conversations/store.js").Store} store
 * @param {import("../conversations/drafts.js").Drafts} drafts
 * @param {{send: (text: string) => void, typing: () => void, back: () => boolean}} actions
 *   `back`: to one's own last message, if there is one
 */
export function composerView(store, drafts, { send, typing, back }) {
  const field = byId("composer");
  const remaining = byId("remaining");
  const form = byId("composer-form");
  const barredBy = byId("barred");
  const button = form.querySelector("button");
  /** @type {import("../conversations/store.js").Conversation | undefined} */
  let conversation;
  /** For which conversation `barredBy` was drawn last, and how. */
  let drawn = "";

  const fits = () => hasInk(field.value) && length(field.value) <= store.limits.text;

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
          .then(({ contact }) => store.setContacts([contact], false)).catch(mishap),
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

  function submit() {
    if (!fits()) return;
    send(trimMessage(field.value));
    field.value = "";
    keep();
    draw();
    field.focus();
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (keyOf(event) === "ArrowUp" && !field.value && back()) return event.preventDefault();
    if (!isEnterToSend(event, Boolean(touch?.matches))) return;
    event.preventDefault();
    submit();
  });
  field.addEventListener("input", () => {
    keep();
    if (hasInk(field.value)) typing();
    draw();
  });
  const nameEnter = () => field.setAttribute("enterkeyhint", touch?.matches ? "enter" : "send");
  touch?.addEventListener("change", nameEnter);
  nameEnter();

  store.subscribe(["contacts"], drawBarred);

  return {
    /** @param {import("../conversations/store.js").Conversation | undefined} next */
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
