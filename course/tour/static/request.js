// @ts-check
/** The Request tab: one HTTP request to the running script, and its answer. */

import { ApiError, api } from "./connection.js";
import { announce, element, labelled } from "./elements.js";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** @typedef {{method: string, path: string, headers: [string, string][], body: string | null}} Request */

export class RequestTab {
  /**
   * @param {HTMLElement} panel
   * @param {import("./runs.js").Runs} runs
   */
  constructor(panel, runs) {
    this.runs = runs;
    this.method = element("select", {}, ...METHODS.map((text) => element("option", { text })));
    this.path = element("input", { value: "/", spellcheck: "false", autocapitalize: "off", "data-focus": true });
    this.headers = element("textarea", { rows: 2, spellcheck: "false", placeholder: "Accept: application/json" });
    this.body = element("textarea", { rows: 2, spellcheck: "false" });
    this.answer = element("div", { class: "answer", "aria-live": "polite" });
    panel.append(
      element("form", { class: "request", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.send(); } },
        element("div", { class: "line" },
          labelled("Method", this.method), labelled("Path", this.path, { class: "wide" }), element("button", { text: "Send" })),
        element("details", {}, element("summary", { text: "Headers and body" }),
          labelled("Headers, one a line", this.headers), labelled("Body", this.body))),
      this.answer,
    );
  }

  /** Fill in the form. @param {Request} request */
  fill({ method, path, headers, body }) {
    if (![...this.method.options].some(({ value }) => value === method)) this.method.append(element("option", { text: method }));
    this.method.value = method;
    this.path.value = path;
    this.headers.value = headers.map((pair) => pair.join(": ")).join("\n");
    this.body.value = body ?? "";
    if (headers.length || body) this.method.form.querySelector("details").open = true;
  }

  /** Send the request of the form to the current run. */
  async send() {
    const run = this.runs.live;
    if (!run) return this.#say("No script runs. Start one first with Run.");
    const headers = this.headers.value.split("\n").filter((/** @type {string} */ line) => line.trim()).map(
      (/** @type {string} */ line) => [line.split(":", 1)[0].trim(), line.slice(line.indexOf(":") + 1).trim()]);
    this.#say("Waiting for the answer …");
    try {
      this.show(await api("POST", "/api/request", {
        body: { run: run.run, method: this.method.value, path: this.path.value, headers, body: this.body.value },
      }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message);
    }
  }

  /**
   * Show an answer.
   * @param {{status: number, reason: string, headers: [string, string][], body: string, base64?: boolean, ms: number, truncated?: boolean}} answer
   */
  show({ status, reason, headers, body, base64, ms, truncated }) {
    const text = base64 ? `${atob(body).length} bytes that are no text` : body;
    this.answer.replaceChildren(
      element("p", { class: `status status-${Math.floor(status / 100)}` }, element("strong", { text: `${status} ${reason}` }), ` in ${Math.round(ms)} ms`),
      element("pre", { class: "headers", tabindex: 0, "aria-label": "Headers", text: headers.map((pair) => pair.join(": ")).join("\n") }),
      element("pre", { class: "body", tabindex: 0, "aria-label": "Body", text: text || "(no body)" }),
      ...(truncated ? [element("p", { text: "The rest of the body is left out." })] : []),
    );
    announce(`Answer ${status} ${reason}`);
  }

  /**
   * Show what a command of the text has printed.
   * @param {string} command
   * @param {{output: string, shown: string, matches: boolean, ms: number}} result
   */
  showPrinted(command, { output, shown, matches, ms }) {
    const parts = [
      element("p", { class: "status" }, element("code", { text: command }), ` ${Math.round(ms)} ms, `,
        element("strong", { class: matches ? "as-shown" : "differs", text: matches ? "as in the text" : "differs from the text" })),
      element("pre", { class: "body", tabindex: 0, "aria-label": "What the command printed", text: output || "(nothing)" }),
    ];
    if (!matches) parts.push(element("p", { text: "The text shows:" }), element("pre", { class: "body", tabindex: 0, "aria-label": "What the text shows", text: shown }));
    this.answer.replaceChildren(...parts);
  }

  /** @param {string} text */
  #say(text) {
    this.answer.replaceChildren(element("p", { text }));
  }
}
