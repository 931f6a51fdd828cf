// @ts-check
/** The Page tab: a page of the running script, in a frame of its own origin. */

import { element, labelled } from "./elements.js";

export class PageTab {
  /**
   * @param {HTMLElement} panel
   * @param {import("./runs.js").Runs} runs
   * @param {() => boolean} isShown
   */
  constructor(panel, runs, isShown) {
    this.panel = panel;
    this.runs = runs;
    this.isShown = isShown;
    this.path = element("input", { value: "/", spellcheck: "false", autocapitalize: "off", "data-focus": true });
    this.link = element("a", { target: "_blank", rel: "noopener", text: "Open in a new tab" });
    this.note = element("p");
    // Another port is another origin, so the frame cannot reach the tour. Its own origin it must keep:
    // without allow-same-origin, forms with XSRF tokens and sockets would send "Origin: null".
    this.frame = element("iframe", { title: "Page of the script", hidden: true, sandbox: "allow-same-origin allow-scripts allow-forms allow-modals allow-popups allow-downloads" });
    panel.append(
      element("form", { class: "line", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); this.load(); } },
        labelled("Path", this.path, { class: "wide" }), element("button", { text: "Load" }), this.link),
      this.note,
    );
    /** @type {string | undefined} the address of the run whose page is in the frame */
    this.loaded = undefined;
    runs.onChange(() => this.refresh());
    this.refresh();
  }

  /** Load the page of the current run, unless it is in the frame. A tab that is not shown loads nothing. */
  refresh() {
    const { live } = this.runs;
    const url = this.runs.addressOf(live);
    this.note.textContent = live?.url
      ? `The proxy in front of the tour has no known address for the port ${live.port}. Forward this port, and open it in a new tab.`
      : "No script runs. Start one first with Run.";
    this.note.hidden = Boolean(url);
    this.frame.hidden = this.link.hidden = !url;
    if (!url) this.frame.remove();
    if (url && this.isShown() && url !== this.loaded) this.load();
    if (!url) this.loaded = undefined;
  }

  load() {
    const url = this.runs.addressOf(this.runs.live);
    if (!url) return;
    this.loaded = url;
    const address = new URL(this.path.value.replace(/^\/*/, "/"), url).href;
    this.link.href = address;
    this.frame.src = address;
    this.panel.append(this.frame); // only now: an empty frame would have the tour's origin
  }
}
