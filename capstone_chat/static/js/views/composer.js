/**
 * The field for a message, an answer to one, or the new text of one. It grows with the text; `browser/keys.js`
 * decides which Enter sends.
 */

import { nameOf } from "../accounts/user_directory.js";
import { request } from "../api.js";
import { byId, el, icon, setText } from "../browser/dom.js";
import { isEnterToSend, keyOf, touch } from "../browser/keys.js";
import { strings } from "../i18n/strings.js";
import { hasInk, trimMessage } from "../text/visible_text.js";
import { quoteLines } from "./message_row.js";
import { showError } from "./toast.js";

/** @typedef {import("../conversations/timeline.js").ChatEvent} ChatEvent */
/** @typedef {{edit?: ChatEvent, reply?: ChatEvent}} About the message that is edited or answered, if any */

const WARN_AT = 200; // characters left

/** Return the length that the server counts: code points, not UTF-16 units. @param {string} text */
const length = (text) => [...trimMessage(text)].length;

/**
 * Create the composer.
 * @param {import("../conversations/store.js").Store} store
 * @param {import("../conversations/drafts.js").Drafts} drafts
 * @param {{send: (text: string, about: About) => void, typing: () => void, focusOwnMessage: () => void}} actions
 */
export function composerView(store, drafts, { send, typing, focusOwnMessage }) {
  const field = byId("composer");
  const remaining = byId("remaining");
  const form = byId("composer-form");
  const blockedNotice = byId("barred");
  const button = form.querySelector("button");
  /** @type {import("../conversations/conversation.js").Conversation | undefined} */
  let conversation;
  const aboutBar = byId("about-message");
  /** @type {About} */
  let about = {};
  /** The messages that are answered in other conversations. @type {Map<number, ChatEvent>} */
  const replies = new Map();
  /** The state that `blockedNotice` shows. */
  let drawn = "";

  const fits = () => hasInk(field.value) && length(field.value) <= store.limits.text;

  const saveDraft = () => conversation && !about.edit && drafts.set(conversation.id, field.value);

  /** Begin or end to edit or to answer a message. @param {About} next @param {string} [text] for the field; by default the draft */
  function setAbout(next, text) {
    if (!conversation) return;
    if (next.edit || about.edit) field.value = text ?? drafts.get(conversation.id);
    about = next;
    const { edit, reply } = about;
    if (reply) replies.set(conversation.id, reply);
    else replies.delete(conversation.id);
    const message = edit ?? reply;
    aboutBar.hidden = !message;
    aboutBar.replaceChildren(...(message ? [
      edit ? icon("edit") : icon("reply", strings.inReplyTo),
      el("span", { class: "quote" }, ...quoteLines(message, store.user.id, edit && strings.editing)),
      el("button", {
        class: "icon-button", type: "button", "aria-label": strings.cancel, title: strings.cancel,
        onclick: () => { setAbout({}); field.focus(); },
      }, icon("close")),
    ] : []));
    draw();
  }

  /** Show a notice instead of the field if the two members of a private chat cannot write to each other. */
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
    // The form keeps its height while the text is measured: otherwise the log grows for a moment, and the
    // browser moves its scroll position away from the end.
    form.style.blockSize = `${form.offsetHeight}px`;
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`; // and its border
    form.style.blockSize = "";
    const left = store.limits.text - (field.value.length < store.limits.text - WARN_AT ? 0 : length(field.value));
    setText(remaining, left <= WARN_AT ? strings.remaining(left) : "");
    remaining.classList.toggle("over", left < 0);
    if (left < 0) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    button.setAttribute("aria-disabled", String(!fits()));
  }

  function submit() {
    if (!fits()) return;
    const text = trimMessage(field.value);
    if (text !== about.edit?.text) send(text, about);
    if (!about.edit) {
      field.value = "";
      saveDraft();
    }
    setAbout({});
    field.focus();
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (isEnterToSend(event, Boolean(touch?.matches))) submit();
    else if (keyOf(event) === "Escape" && !aboutBar.hidden) setAbout({});
    else if (keyOf(event) === "ArrowUp" && !field.value && aboutBar.hidden) focusOwnMessage();
    else return;
    event.preventDefault();
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
      about = {};
      drawBlocked();
      setAbout({ reply: next && replies.get(next.id) });
    },
    focus: () => field.focus(),
    canWrite: () => !form.hidden,
    /** Answer a message. @param {ChatEvent} reply */
    reply(reply) {
      setAbout({ reply });
      field.focus();
    },
    /** Edit a message. @param {ChatEvent} edit @param {string} text its newest text, perhaps not yet stored */
    edit(edit, text) {
      setAbout({ edit: { ...edit, text } }, text);
      field.focus();
      field.setSelectionRange(text.length, text.length);
    },
  };
}
