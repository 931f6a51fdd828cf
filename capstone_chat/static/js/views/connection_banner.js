/** The line that says when the connection is lost or not yet open. */

import { byId, setText } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

const SHOW_DELAY = 800; // milliseconds: a shorter interruption is not shown

/** @param {import("../conversations/store.js").Store} store */
export function connectionBanner(store) {
  // A phone shows one pane at a time, so each pane has the line.
  const elements = [byId("connection"), byId("talk-connection")];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function show() {
    const text =
      store.connection === "open" ? ""
      : store.connection === "refused" ? strings.refused
      : store.connection === "connecting" ? strings.connecting
      : strings.reconnecting;
    for (const element of elements) setText(element, text);
  }

  function draw() {
    document.body.dataset.connection = store.connection;
    if (store.connection === "open" || store.connection === "refused") {
      clearTimeout(timer);
      timer = undefined;
      show();
    } else timer ??= setTimeout(show, SHOW_DELAY);
  }

  store.subscribe(["connection"], draw);
  draw();
}
