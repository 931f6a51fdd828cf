/** Search in the open conversation; it is shown in the right pane. */

import { nameOf } from "../accounts/user_directory.js";
import * as api from "../api.js";
import { byId, debounce, el, setText } from "../browser/dom.js";
import { keyOf } from "../browser/keys.js";
import { strings } from "../i18n/strings.js";
import { withoutMarks } from "../text/code.js";
import { findFolded } from "../text/search_folding.js";
import { when } from "./when.js";

const SEARCH_DELAY = 250; // milliseconds after the last keystroke
const RESULTS_PER_LOAD = 30; // messages; requests continue until this number is found
const MAX_REQUESTS = 10; // each compares up to 5,000 events
const CONTEXT = 40; // characters before the match

/** Return the text around a match, with the match marked. @param {string} text @param {string} query */
function excerpt(text, query) {
  const found = findFolded(text, query);
  if (!found) return [text];
  const [at, end] = found;
  const start = at > CONTEXT ? at - CONTEXT : 0;
  return [`${start ? "…" : ""}${text.slice(start, at)}`, el("mark", { text: text.slice(at, end) }), text.slice(end)];
}

/**
 * Create the search of the open conversation.
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
  /** The search continues before this seq. @type {number | null} */
  let next = null;

  /** @param {number} [before] only events before this seq */
  async function runSearch(before) {
    const query = field.value.trim();
    if (!query || conv === null) return clear();
    const searchedConv = conv;
    try {
      const events = [];
      let from = before;
      for (let request = 0; request < MAX_REQUESTS && from !== null && events.length < RESULTS_PER_LOAD; request++) {
        const answer = await api.get(`/api/conversations/${searchedConv}/search`, { query, before: from });
        if (query !== field.value.trim() || searchedConv !== conv) return;
        events.push(...answer.events);
        from = answer.next;
      }
      next = from ?? null;
      const rows = events.map((/** @type {any} */ event) => resultRow(event, query));
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
  function resultRow({ seq, from, at, text }, query) {
    return el("li", {}, el("button", { class: "result", type: "button", onclick: () => jump(seq) },
      el("span", { class: "top" },
        el("b", { class: "one-line", text: from.id === store.user.id ? strings.you : nameOf(from) }),
        when(at, "shortTime")),
      el("span", { class: "excerpt" }, ...excerpt(withoutMarks(text ?? ""), query))));
  }

  function clear() {
    list.replaceChildren();
    more.hidden = true;
    setText(status, strings.searchHint);
  }

  const searchSoon = debounce(SEARCH_DELAY, () => runSearch());
  field.addEventListener("input", () => searchSoon());
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
  more.addEventListener("click", () => runSearch(next ?? undefined));

  return {
    /** Show the search of the open conversation. */
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
