// @ts-check
/** The scripts that run: the list at the top of every page, and the one whose result is shown. */

import { announce, button, element } from "./elements.js";

/**
 * @typedef {object} Run
 * @property {string} run
 * @property {string} name
 * @property {string} file
 * @property {string} [session] the session whose changed copy runs
 * @property {string} [state]
 * @property {string} [url]
 * @property {number} [port]
 * @property {number} [seq] the number of its last message
 * @property {number} [seen] the number of the last message before the page was opened
 * @property {{seconds: number, file: string, line: number, source: string} | null} [blocked]
 * @property {{code: number | null, reason: string}} [ended]
 */

/** Scripts that the tour lets run at the same time. */
const MOST = 3;

export class Runs {
  /**
   * @param {import("./connection.js").Channel} channel
   * @param {Set<string>} files the ids of the files of this page
   * @param {string | null} proxied the address that a proxy gives to a script, with `{port}`; "" if it gives none,
   *   null without a proxy
   */
  constructor(channel, files, proxied) {
    this.channel = channel;
    this.files = files;
    this.proxied = proxied;
    /** @type {Map<string, Run>} those that run, and those that have ended since the page was opened */
    this.byId = new Map();
    /** @type {Run | null} */
    this.current = null;
    /** @type {string | undefined} the run to show */
    this.wanted = undefined;
    /** @type {(() => void)[]} */
    this.listeners = [];
    this.list = element("ul");
    this.bar = element("nav", { class: "runs", "aria-label": "Running scripts", hidden: true }, this.list);
    this.note = element("div", { class: "stopped", role: "status", hidden: true });
    channel.on("runs", ({ runs }) => this.#receive(runs));
    channel.on("started", ({ run, file, name }) => {
      this.#update(run, { file, name, ended: undefined });
      if (files.has(file)) this.select(run);
    });
    channel.on("ready", ({ run, url }) => {
      this.#update(run, { url });
      announce(`${this.byId.get(run)?.name} runs.`);
    });
    channel.on("blocked", ({ run, seconds, file, line, source }) => this.#update(run, { blocked: { seconds, file, line, source } }));
    channel.on("unblocked", ({ run }) => this.#update(run, { blocked: null }));
    channel.on("ended", ({ run, code, reason }) => {
      this.#update(run, { ended: { code, reason }, blocked: null });
      announce(`${this.byId.get(run)?.name} has ended.`);
    });
  }

  /** The runs that have not ended. */
  get running() {
    return [...this.byId.values()].filter((run) => !run.ended);
  }

  /** The current run, if it has not ended. */
  get live() {
    return this.current && !this.current.ended ? this.current : null;
  }

  /** Return the address at which the browser finds the pages of a run; "" if it has none. @param {Run | null} run */
  addressOf(run) {
    if (!run?.url || this.proxied === null) return run?.url ?? "";
    return this.proxied && this.proxied.replace("{port}", String(run.port)) + new URL(run.url).pathname.replace(/\/$/, "");
  }

  /** Return whether a message of the current run has come since the page was opened. @param {{run: string, seq: number}} message */
  isNews({ run, seq }) {
    return run === this.current?.run && seq > (this.current.seen ?? 0);
  }

  /** @param {() => void} listener called when a run, or the choice of the current one, has changed */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** Show the result of a run, which may not be in the list yet. @param {string} run */
  select(run) {
    this.wanted = run;
    this.current = this.byId.get(run) ?? this.current;
    this.#notify();
  }

  /** Start the script of a file. @param {string} file */
  async start(file) {
    await this.makeRoom(file);
    this.channel.send({ type: "start", file });
  }

  /** If no further script may run, stop the oldest one of another page. @param {string} file that will be started */
  async makeRoom(file) {
    const { running } = this;
    const oldest = running.find((run) => !this.files.has(run.file));
    this.note.hidden = true;
    if (running.length < MOST || !oldest || running.some((run) => run.file === file)) return;
    this.note.replaceChildren(`${oldest.name} was stopped, because at most ${MOST} scripts run at the same time. `,
      button("Close", () => { this.note.hidden = true; }));
    this.note.hidden = false;
    await this.stop(oldest.run);
  }

  /** Stop a run, and wait for its end. @param {string} run @returns {Promise<void>} */
  stop(run) {
    this.channel.send({ type: "stop", run });
    return new Promise((resolve) => {
      const check = () => {
        if (this.byId.get(run)?.ended === undefined) return;
        this.listeners = this.listeners.filter((each) => each !== check);
        resolve();
      };
      this.onChange(check);
      check();
    });
  }

  /** @param {Run[]} runs */
  #receive(runs) {
    const here = new Set(runs.filter(({ state }) => state !== "ended").map(({ run }) => run));
    for (const run of runs) this.byId.set(run.run, Object.assign(this.byId.get(run.run) ?? { seen: run.seq }, run));
    for (const run of this.byId.values()) {
      if (!here.has(run.run)) run.ended ??= { code: null, reason: "" };
    }
    const newest = runs.filter(({ file }) => this.files.has(file)).at(-1);
    this.wanted ??= newest?.run;
    this.current = this.byId.get(this.wanted ?? "") ?? this.current;
    this.#notify();
  }

  /** @param {string} run @param {Partial<Run>} fields */
  #update(run, fields) {
    const known = this.byId.get(run) ?? { run, name: "The script", file: "" };
    this.byId.set(run, Object.assign(known, fields));
    this.#notify();
  }

  #notify() {
    this.#draw();
    for (const listener of this.listeners) listener();
  }

  /** Draw the list. An item stays the same element, so that its button keeps the focus. */
  #draw() {
    const { running } = this;
    this.bar.hidden = running.length === 0;
    const items = new Map([...this.list.children].map((/** @type {any} */ item) => [item.dataset.run, item]));
    for (const [run, item] of items) if (!running.some((each) => each.run === run)) item.remove();
    for (const run of running) {
      const item = items.get(run.run) ?? this.list.appendChild(element("li", { "data-run": run.run },
        button(run.name, () => this.select(run.run), { class: "name", title: "Show the result of this script" }),
        element("span", { class: "port" }),
        button("Stop", () => this.stop(run.run), { "aria-label": `Stop ${run.name}` })));
      item.querySelector(".port").textContent = run.port ? `:${run.port}` : "";
      item.classList.toggle("blocked", Boolean(run.blocked));
      item.classList.toggle("current", run.run === this.current?.run);
    }
  }
}
