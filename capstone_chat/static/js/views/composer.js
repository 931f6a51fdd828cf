/** The field for a new message. It grows with the text; `browser/keys.js` decides which Enter sends. */

import { nameOf } from "../accounts/user_directory.js";
import { request } from "../api.js";
import { byId, el, setText } from "../browser/dom.js";
import { isEnterToSend, keyOf, touch } from "../browser/keys.js";
import { strings } from "../i18n/strings.js";
import { hasInk, trimMessage } from "../text/visible_text.js";
import { showError } from "./toast.js";

const WARN_AT = 200; // characters left

/** As the server counts: code points, not UTF-16 units. @param {string} text */
const length = (text) => [...trimMessage(text)].length;

/**
 * @param {import("../conversations/store.js").Store} store
 * @param {import("../conversations/drafts.js").Drafts} drafts
 * @param {{send: (text: string) => void, typing: () => void, focusNewestOwn: () => boolean}} actions
 *   `focusNewestOwn`: focuses the reader's newest message; false if there is none
 */
export function composerView(store, drafts, { send, typing, focusNewestOwn }) {
  const field = byId("composer");
  const remaining = byId("remaining");
  const form = byId("composer-form");
  const blockedNotice = byId("barred");
  const button = form.querySelector("button");
  /** @type {import("../conversations/conversation.js").Conversation | undefined} */
  let conversation;
  /** The state that `blockedNotice` shows. */
  let drawn = "";

  const fits = () => hasInk(field.value) && length(field.value) <= store.limits.text;

  const saveDraft = () => conversation && drafts.set(conversation.id, field.value);

  /** Show a notice instead of the field when the two cannot write to each other. */
  function drawBlocked() {
    const peer = conversation?.peer;
    const deleted = Boolean(conversation?.peerDeleted);
    const isBlocked = deleted || Boolean(peer && store.contacts.get(peer.id)?.blocked);
    const state = `${conversation?.id} ${isBlocked} ${deleted}`;
    if (state === drawn) return;
    drawn = state;
    const hadFocus = blockedNotice.contains(document.activeElement);
    form.hidden = isBlocked;
    blockedNotice.hidden = !isBlocked;
    if (!isBlocked || !peer) {
      draw();
      if (hadFocus) field.focus();
      return;
    }
    if (deleted) return blockedNotice.replaceChildren(el("p", { text: strings.peerDeleted }));
    blockedNotice.replaceChildren(
      el("p", { text: strings.youBlocked(nameOf(peer)) }),
      el("button", {
        class: "button", type: "button", text: strings.unblock,
        onclick: () => request("PUT", `/api/contacts/${peer.id}`, { blocked: false })
          .then(({ contact }) => store.setContacts([contact], false)).catch(showError),
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
    saveDraft();
    draw();
    field.focus();
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (keyOf(event) === "ArrowUp" && !field.value && focusNewestOwn()) return event.preventDefault();
    if (!isEnterToSend(event, Boolean(touch?.matches))) return;
    event.preventDefault();
    submit();
  });
  field.addEventListener("input", () => {
    saveDraft();
    if (hasInk(field.value)) typing();
    draw();
  });
  const setEnterKeyHint = () => field.setAttribute("enterkeyhint", touch?.matches ? "enter" : "send");
  touch?.addEventListener("change", setEnterKeyHint);
  setEnterKeyHint();

  store.subscribe(["contacts"], drawBlocked);

  return {
    /** @param {import("../conversations/conversation.js").Conversation | undefined} next */
    show(next) {
      if (next === conversation) return;
      conversation = next;
      field.value = next ? drafts.get(next.id) : "";
      drawBlocked();
      draw();
    },
    focus: () => field.focus(),
  };
}
