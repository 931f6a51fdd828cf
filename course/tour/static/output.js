// @ts-check
/** The Output tab: what the running script prints, as it prints it. */

import { element, inSeconds } from "./elements.js";

/** Characters that the page keeps of a run. */
const KEPT = 100_000;
/** Characters after which a block of lines is full: a full one is not laid out again. */
const BLOCK = 4000;
/** Milliseconds between two changes of the page while a script prints much. */
const PAUSE = 100;

/** The printed text of one run. */
class Printed {
  constructor() {
    this.element = element("div", { class: "printed" });
    /** The number of the last message that has arrived. */
    this.last = 0;
    /** @type {{stream: string, text: string}[]} texts that are not in the page yet */
    this.pending = [];
    this.pendingSize = 0;
    this.size = 0;
    /** Bytes that the tour has left out since the last change of the page. */
    this.dropped = 0;
  }

  /** @param {string} stream @param {string} text */
  add(stream, text) {
    this.pending.push({ stream, text });
    this.pendingSize += text.length;
    while (this.pending.length > 1 && this.pendingSize - this.pending[0].text.length > KEPT) {
      this.pendingSize -= /** @type {any} */ (this.pending.shift()).text.length;
    }
  }

  /** Put the pending texts into the page, and remove the oldest ones. */
  draw() {
    if (this.dropped) this.#append("note", `\n… ${this.dropped} bytes left out: the script prints more than a page can show\n`);
    this.dropped = 0;
    for (const { stream, text } of this.pending) this.#append(stream, text.slice(-KEPT));
    this.pending = [];
    this.pendingSize = 0;
    while (this.size > KEPT && this.element.childElementCount > 1) {
      this.size -= this.element.firstElementChild?.textContent?.length ?? 0;
      this.element.firstElementChild?.remove();
    }
  }

  /** @param {string} stream @param {string} text */
  #append(stream, text) {
    this.size += text.length;
    for (let rest = text; rest; ) {
      const block = this.#block(stream);
      const room = BLOCK - (block.textContent?.length ?? 0);
      const end = rest.length <= room ? rest.length : rest.indexOf("\n", room) + 1 || rest.length;
      const part = rest.slice(0, Math.min(end, 2 * BLOCK));
      block.append(part);
      rest = rest.slice(part.length);
    }
  }

  /** Return the block for the next text: the last one, unless it is full or of the other stream. @param {string} stream */
  #block(stream) {
    const last = this.element.lastElementChild;
    if (last?.className === stream && (last.textContent?.length ?? 0) < BLOCK) return last;
    return this.element.appendChild(element("div", { class: stream }));
  }
}

export class Output {
  /**
   * @param {HTMLElement} panel
   * @param {import("./connection.js").Channel} channel
   * @param {import("./runs.js").Runs} runs
   */
  constructor(panel, channel, runs) {
    this.runs = runs;
    this.channel = channel;
    /** @type {Map<string, Printed>} */
    this.printed = new Map();
    /** @type {Set<string>} the runs whose earlier messages the page has asked for */
    this.asked = new Set();
    this.status = element("p", { class: "run-status", text: "Nothing runs yet." });
    this.log = element("div", { class: "output", role: "log", "aria-live": "off", "aria-label": "Output of the script", tabindex: 0, "data-focus": true });
    panel.append(this.status, this.log);
    this.timer = 0;
    this.follows = true;
    this.log.addEventListener("scroll", () => {
      this.follows = this.log.scrollTop + this.log.clientHeight > this.log.scrollHeight - 30;
    });
    for (const type of ["output", "dropped", "ready", "blocked", "unblocked", "ended"]) {
      channel.on(type, (message) => this.#receive(message));
    }
    runs.onChange(() => this.#show());
    channel.on("open", () => this.asked.clear()); // the list of runs follows
  }

  /** @param {string} run */
  #of(run) {
    let printed = this.printed.get(run);
    if (!printed) {
      printed = new Printed();
      this.printed.set(run, printed);
    }
    return printed;
  }

  /**
   * Take a message of a run, if it is the next one: the tour numbers them without a gap. After a reload, newer
   * ones may come before those that the page has asked for; they come again after these.
   * @param {{type: string, run: string, seq: number, stream: string, text: string, bytes: number}} message
   */
  #receive({ type, run, seq, stream, text, bytes }) {
    const printed = this.#of(run);
    if (seq !== printed.last + 1 && !(type === "dropped" && seq > printed.last)) return;
    printed.last = seq;
    if (type === "output") printed.add(stream, text);
    if (type === "dropped") printed.dropped += bytes;
    this.timer ||= window.setTimeout(() => this.#draw(), PAUSE);
  }

  #draw() {
    this.timer = 0;
    const printed = this.runs.current && this.printed.get(this.runs.current.run);
    if (!printed) return;
    printed.draw();
    if (this.follows) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Show the current run. */
  #show() {
    const run = this.runs.current;
    if (!run) return;
    if (!this.asked.has(run.run)) {
      this.asked.add(run.run);
      this.channel.send({ type: "resume", run: run.run, after: this.#of(run.run).last });
    }
    const printed = this.#of(run.run);
    if (this.log.firstElementChild !== printed.element) {
      this.log.replaceChildren(printed.element);
      this.follows = true;
    }
    this.#describe(run);
    this.status.classList.toggle("blocked", Boolean(run.blocked));
    this.#draw();
  }

  /** Say the state of a run. A link that stays the same keeps the focus. @param {import("./runs.js").Run} run */
  #describe(run) {
    const link = run.blocked || run.ended ? "" : this.runs.addressOf(run);
    const text = describe(run, link);
    if (this.status.textContent === text + link) return;
    this.status.replaceChildren(text, ...(link ? [element("a", { href: link, target: "_blank", rel: "noopener", text: link })] : []));
  }
}

/** Return the state of a run in words; its address is a link of its own. @param {import("./runs.js").Run} run @param {string} link */
function describe(run, link) {
  if (run.blocked) {
    const { seconds, file, line, source } = run.blocked;
    const place = line ? ` at line ${line} of ${file}: ${source}` : "";
    return `The event loop has been blocked for ${inSeconds(seconds)}${place}`;
  }
  if (run.ended) return `${run.name} has ended. ${run.ended.reason}`;
  if (!run.url) return `${run.name} starts …`;
  return link ? `${run.name} runs at ` : `${run.name} runs on port ${run.port}`;
}
