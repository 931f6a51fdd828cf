/** Search in the open conversation, in the place of the right pane. */

import * as api from "../api.js";
import { byId, debounce, el, setText } from "../browser/dom.js";
import { findFolded } from "../text/search_folding.js";
import { keyOf } from "../browser/keys.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";
import { when } from "./when.js";

const SEARCH_AFTER = 250; // milliseconds of rest in typing
const ENOUGH = 30; // results to show at once
const MOST_REQUESTS = 10; // each looks through some thousand messages
const CONTEXT = 40; // characters before what was found

/** The text around what was found, with it marked. @param {string} text @param {string} query */
function excerpt(text, query) {
  const found = findFolded(text, query);
  if (!found) return [text];
  const [at, end] = found;
  const start = at > CONTEXT ? at - CONTEXT : 0;
  return [`${start ? "…" : ""}${text.slice(start, at)}`, el("mark", { text: text.slice(at, end) }), text.slice(end)];
}

/**
 * @param {import("../conversations/store.js").Store} store
 * @param {(seq: number) => void} jump to a message of the open conversation
 */
export function searchView(store, jump) {
  const field = byId("find");
  const status = byId("find-status");
  const list = byId("found");
  const more = byId("find-more");
  /** @type {number | null} */
  let conv = null;
  /** The server goes on looking before this seq. @type {number | null} */
  let next = null;

  /** @param {number} [before] only what is older than this seq */
  async function look(before) {
    const query = field.value.trim();
    if (!query || conv === null) return clear();
    const asked = conv;
    try {
      const events = [];
      let from = before;
      for (let request = 0; request < MOST_REQUESTS && from !== null && events.length < ENOUGH; request++) {
        const answer = await api.get(`/api/conversations/${asked}/search`, { query, before: from });
        if (query !== field.value.trim() || asked !== conv) return;
        events.push(...answer.events);
        from = answer.next;
      }
      next = from ?? null;
      const rows = events.map((/** @type {any} */ event) => row(event, query));
      if (before) list.append(...rows);
      else list.replaceChildren(...rows);
      more.hidden = next === null;
      const count = list.childElementCount;
      setText(status, next !== null && count === 0 ? strings.nothingYet : strings.found(count));
      if (before) rows[0]?.querySelector("button")?.focus();
    } catch (error) {
      setText(status, error instanceof api.ApiError ? error.message : strings.tryAgain);
    }
  }

  /** @param {import("../conversations/timeline.js").ChatEvent} event @param {string} query */
  function row({ seq, from, at, text }, query) {
    return el("li", {}, el("button", { class: "result", type: "button", onclick: () => jump(seq) },
      el("span", { class: "top" },
        el("b", { class: "one-line", text: from.id === store.user.id ? strings.you : nameOf(from) }),
        when(at, "brief")),
      el("span", { class: "excerpt" }, ...excerpt(text ?? "", query))));
  }

  function clear() {
    list.replaceChildren();
    more.hidden = true;
    setText(status, strings.searchHint);
  }

  const soon = debounce(SEARCH_AFTER, () => look());
  field.addEventListener("input", () => soon());
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (keyOf(event) !== "ArrowDown") return;
    event.preventDefault();
    list.querySelector("button")?.focus();
  });
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[keyOf(event)];
    if (!step) return;
    event.preventDefault();
    const results = [...list.querySelectorAll("button")];
    (results[results.indexOf(document.activeElement) + step] ?? (step < 0 ? field : null))?.focus();
  });
  more.addEventListener("click", () => look(next ?? undefined));

  return {
    /** The panel shows the search of the open conversation. */
    show() {
      if (conv !== store.openId) {
        conv = store.openId;
        field.value = "";
        clear();
      }
      field.focus();
    },
  };
}
