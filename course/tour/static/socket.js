// @ts-check
/** The Socket tab: a WebSocket to the running script. */

import { button, element, labelled } from "./elements.js";

/** Messages that the page keeps. */
const KEPT = 300;

/** Return the path of the first WebSocket in the text of a script, if it has one. @param {string} script */
function socketPath(script) {
  const handlers = new Set([...script.matchAll(/^class (\w+)\([^)]*WebSocketHandler\)/gm)].map(([, name]) => name));
  const routes = [...script.matchAll(/\(\s*r?"(\/[^"(]*)",\s*(\w+)/g)];
  return routes.find(([, , handler]) => handlers.has(handler))?.[1];
}

export class SocketTab {
  /**
   * @param {HTMLElement} panel
   * @param {import("./connection.js").Channel} channel
   * @param {import("./runs.js").Runs} runs
   */
  constructor(panel, channel, runs) {
    this.channel = channel;
    this.runs = runs;
    this.count = 0;
    /** @type {string | null} the id of the open socket, or of the one that opens */
    this.id = null;
    /** The path that the tour has filled in. A path that the learner has typed stays. */
    this.suggested = "/ws";
    this.path = element("input", { value: this.suggested, spellcheck: "false", autocapitalize: "off", "data-focus": true });
    this.headers = element("textarea", { rows: 2, spellcheck: "false", placeholder: "Origin: http://localhost:8888" });
    this.protocols = element("input", { spellcheck: "false" });
    this.code = element("input", { value: "1000", inputmode: "numeric", size: 5 });
    this.text = element("textarea", { rows: 2, spellcheck: "false" });
    this.opener = element("button", { text: "Open" });
    this.closer = button("Close", () => this.close(), { disabled: true });
    this.sender = element("button", { text: "Send", disabled: true });
    this.log = element("div", { class: "messages", role: "log", tabindex: 0, "aria-label": "Messages" });
    const submit = (/** @type {() => void} */ action) => (/** @type {Event} */ event) => { event.preventDefault(); action(); };
    panel.append(
      element("form", { onsubmit: submit(() => this.open()) },
        element("div", { class: "line" }, labelled("Path", this.path, { class: "wide" }), this.opener, labelled("Code", this.code), this.closer),
        element("details", {}, element("summary", { text: "Headers and subprotocols" }),
          labelled("Headers, one a line", this.headers), labelled("Subprotocols, with commas between them", this.protocols))),
      element("form", { class: "line", onsubmit: submit(() => this.send()) }, labelled("Message", this.text, { class: "wide" }), this.sender),
      this.log,
    );
    channel.on("socket.opened", ({ id, protocol }) => this.#own(id, () => this.#opened(protocol)));
    channel.on("socket.message", ({ id, text, base64, bytes }) => this.#own(id, () =>
      this.#note("received", "received", text ?? `${bytes} bytes that are no text: ${base64}`)));
    channel.on("socket.closed", ({ id, code, reason }) => this.#own(id, () => this.#closed(code, reason)));
    channel.on("lost", () => this.id && this.#closed(0, "the tour is not connected"));
  }

  /** Fill in the path of the socket of a script. @param {string} script */
  suggest(script) {
    if (this.path.value !== this.suggested) return;
    this.suggested = this.path.value = socketPath(script) ?? "/ws";
  }

  open() {
    const run = this.runs.live;
    if (!run) return this.#note("note", "", "No script runs. Start one first with Run.");
    this.count += 1;
    this.id = `${Date.now()}-${this.count}`;
    this.opener.disabled = true;
    const headers = this.headers.value.split("\n").filter((/** @type {string} */ line) => line.includes(":")).map(
      (/** @type {string} */ line) => [line.split(":", 1)[0].trim(), line.slice(line.indexOf(":") + 1).trim()]);
    const subprotocols = this.protocols.value.split(",").map((/** @type {string} */ name) => name.trim()).filter(Boolean);
    this.channel.send({ type: "socket.open", id: this.id, run: run.run, path: this.path.value, headers, subprotocols });
  }

  send() {
    if (!this.id || this.sender.disabled) return;
    this.channel.send({ type: "socket.send", id: this.id, text: this.text.value });
    this.#note("sent", "sent", this.text.value);
    this.text.select();
  }

  close() {
    if (this.id) this.channel.send({ type: "socket.close", id: this.id, code: Number(this.code.value) || 1000, reason: "" });
  }

  /** @param {string} id @param {() => void} action */
  #own(id, action) {
    if (id === this.id) action();
  }

  /** @param {string | null} protocol */
  #opened(protocol) {
    this.sender.disabled = this.closer.disabled = false;
    this.#note("note", "opened", protocol ? `with the subprotocol ${protocol}` : "");
    this.text.focus();
  }

  /** @param {number | null} code @param {string} reason */
  #closed(code, reason) {
    this.id = null;
    this.opener.disabled = false;
    this.sender.disabled = this.closer.disabled = true;
    this.#note("note", "closed", [code ? `code ${code}` : "", reason].filter(Boolean).join(", "));
  }

  /** @param {string} kind @param {string} word @param {string} text */
  #note(kind, word, text) {
    this.log.append(element("div", { class: kind }, element("span", { class: "word", text: word }), element("span", { class: "text", text })));
    while (this.log.childElementCount > KEPT) this.log.firstElementChild.remove();
    this.log.scrollTop = this.log.scrollHeight;
  }
}
