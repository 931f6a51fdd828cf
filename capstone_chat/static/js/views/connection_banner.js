/** The line that is shown while the connection is lost or not yet open. */

import { byId, el } from "../browser/dom.js";
import { strings } from "../i18n/strings.js";

const SHOW_DELAY = 800; // milliseconds: a shorter interruption is not shown

/**
 * Create the line about the state of the connection.
 * @param {import("../conversations/store.js").Store} store
 * @param {() => void} reconnect tries at once, instead of after the delay
 */
export function connectionBanner(store, reconnect) {
  // A phone shows one pane at a time, so each pane has the line.
  const elements = [byId("connection"), byId("talk-connection")];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const reload = () => location.reload();

  /** Return the text to show, and the label and the action of its button. @returns {[string, string?, (() => void)?]} */
  function choose() {
    switch (store.connection) {
      case "open": return store.outdated ? [strings.outdated, strings.reload, reload] : [""];
      case "refused": return [strings.refused, strings.reload, reload];
      case "connecting": return [strings.connecting];
      default: return [strings.reconnecting, strings.tryNow, reconnect];
    }
  }

  function show() {
    const [text, label, onclick] = choose();
    for (const element of elements) {
      if (element.dataset.text === text) continue; // a button that is replaced would lose the focus
      element.dataset.text = text;
      element.replaceChildren(...(text ? [text] : []),
        ...(label ? [" ", el("button", { class: "link-button", type: "button", text: label, onclick })] : []));
    }
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
