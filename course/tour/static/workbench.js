// @ts-check
/** The workbench beside the text: the editor, and below it the tabs with the results. */

import { CheckTab } from "./check.js";
import { Commands } from "./commands.js";
import { Editor } from "./editor.js";
import { button, element } from "./elements.js";
import { FilePane } from "./file.js";
import { keep, recall } from "./kept.js";
import { Output } from "./output.js";
import { PageTab } from "./page.js";
import { splitter, Tabs } from "./panes.js";
import { showState } from "./progress.js";
import { RequestTab } from "./request.js";
import { SocketTab } from "./socket.js";

export class Workbench {
  /**
   * @param {import("./tour.js").Page} page
   * @param {HTMLElement} place where the page has room for it
   * @param {import("./connection.js").Channel} channel
   * @param {import("./runs.js").Runs} runs
   */
  constructor(page, place, channel, runs) {
    this.runs = runs;
    const { exercise } = page;
    this.tabs = new Tabs("Result", [["output", "Output"], ["request", "Request"], ["socket", "Socket"], ["page", "Page"],
      ...(exercise ? [/** @type {[string, string]} */ (["check", "Check"])] : [])]);
    this.editor = new Editor(() => this.file.showState());
    this.file = new FilePane(this.editor, channel, page.files);
    new Output(this.tabs.panel("output"), channel, runs);
    this.request = new RequestTab(this.tabs.panel("request"), runs);
    this.socket = new SocketTab(this.tabs.panel("socket"), channel, runs);
    const pageTab = new PageTab(this.tabs.panel("page"), runs, () => this.tabs.selected === "page");
    this.tabs.listeners.push(() => pageTab.refresh());
    this.check = exercise && new CheckTab(this.tabs.panel("check"), channel, exercise, page.next, {
      save: () => this.file.save(),
      goTo: (line) => { this.#showPane("code"); this.editor.goTo(line); },
      mark: (marks) => this.editor.mark(marks),
      ended: (state) => showState(page.address, exercise.label, state),
    });
    this.tabs.select(recall(`tab${page.address}`) ?? (exercise ? "check" : "output"));
    this.tabs.listeners.push((tab) => keep(`tab${page.address}`, tab));
    this.answered = `answer${page.address}`;
    const answer = recall(this.answered);
    if (answer) this.#showAnswer(answer);
    new Commands(page.sessions, {
      runs,
      before: (session) => this.#before(session),
      done: (session, command, result) => this.#done(session, command, result),
    });
    this.file.onChange((reason) => this.#fileChanged(/** @type {any} */ (reason)));
    runs.onChange(() => this.#markBlocked());
    for (const type of ["output", "ended"]) channel.on(type, (message) => runs.isNews(message) && this.#tellNews());
    channel.on("check.ended", ({ label }) => label === exercise?.label && this.#tellNews());
    document.querySelector("main")?.addEventListener("click", (event) => this.#openLinked(event));
    const toggle = () => {
      this.editor.toggle();
      toggler.setAttribute("aria-pressed", String(this.editor.plain));
    };
    const toggler = button("Plain text", toggle, { class: "plain-toggle", "aria-pressed": String(this.editor.plain), title: "Another editor, without colours" });
    this.stopper = button("Stop", () => this.runs.live && this.runs.stop(this.runs.live.run), { disabled: true });
    this.columns = /** @type {HTMLElement} */ (place.parentElement);
    this.choice = element("div", { class: "pane-choice", role: "group", "aria-label": "Pane" },
      ...["text", "code", "result"].map((name) => button(name[0].toUpperCase() + name.slice(1), () => this.#showPane(name), { "data-for": name })));
    this.news = element("span", { class: "news", hidden: true, text: "new" });
    this.choice.lastElementChild?.append(" ", this.news);
    this.panes = this.#build(place, toggler);
    this.#showPane("text");
    if (page.files.length) this.file.show(page.files[0].id);
  }

  /** Save the file, and check the exercise. */
  async save() {
    if (this.check) {
      this.#showResult("check");
      await this.check.check();
    } else await this.file.save();
  }

  /** Save the file and run it. */
  async run() {
    if (!this.file.open || !(await this.file.save())) return;
    this.#showResult("output");
    const old = this.runs.running.filter(({ file }) => file === this.file.open?.id);
    await Promise.all(old.map(({ run }) => this.runs.stop(run)));
    await this.runs.start(this.file.open.id);
  }

  /** Build the elements; return the two panes. @param {HTMLElement} place @param {HTMLElement} toggler */
  #build(place, toggler) {
    const { file, editor, tabs } = this;
    const runner = button("Run", () => this.run(), { class: "primary", title: "Ctrl-Enter" });
    const code = element("section", { class: "code", "aria-label": "Code", tabindex: -1 },
      element("div", { class: "toolbar" }, file.choice, runner, this.stopper, file.copier, file.saver, file.resetter, toggler),
      file.state, file.banner, editor.element);
    const result = element("section", { class: "result", "aria-label": "Result", tabindex: -1 }, tabs.list, ...tabs.panels);
    const bench = element("div", { class: "bench" });
    bench.append(code, splitter("code-height", "Height of the code", bench, "horizontal", 55), result);
    this.columns.before(this.choice);
    place.append(splitter("text-width", "Width of the text", this.columns, "vertical", 50), bench);
    return [code, result];
  }

  /** Open a file to which the text links in the editor, instead of on a page of its own. @param {MouseEvent} event */
  #openLinked(event) {
    /** @type {HTMLElement | null | undefined} */
    const link = event.target instanceof Element ? event.target.closest("a[data-file]") : null;
    const id = link?.dataset.file;
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey || !this.file.files.some((file) => file.id === id)) return;
    event.preventDefault();
    this.#showPane("code");
    this.file.show(id).then(() => this.editor.focus());
  }

  /** In a narrow window: show one of the panes. @param {string} name */
  #showPane(name) {
    this.columns.dataset.pane = name;
    for (const each of this.choice.children) each.setAttribute("aria-pressed", String(each.dataset.for === name));
    if (name === "result") this.news.hidden = true;
  }

  /** In a narrow window: mark the result as new, until it is shown. */
  #tellNews() {
    this.news.hidden = this.columns.dataset.pane === "result";
  }

  /** @param {string} tab */
  #showResult(tab) {
    this.tabs.select(tab);
    this.#showPane("result");
  }

  /** Show the script of a session before its command runs. @param {import("./commands.js").Session} session */
  async #before(session) {
    await this.file.save();
    const id = `script:${session.script}`;
    if (this.file.open?.id !== id && this.file.files.some((file) => file.id === id)) await this.file.show(id);
  }

  /** @param {import("./commands.js").Session} session @param {import("./commands.js").Command} command @param {import("./commands.js").Result} result */
  #done(session, command, result) {
    this.runs.select(result.run);
    if (command.kind !== "request") this.tabs.select("output");
    else {
      const answer = { command, result };
      this.#showAnswer(answer);
      keep(this.answered, answer);
      this.tabs.select("request");
    }
    this.#tellNews();
  }

  /** Show what a command of the text has printed. @param {{command: import("./commands.js").Command, result: import("./commands.js").Result}} answer */
  #showAnswer({ command, result }) {
    if (command.request) this.request.fill(command.request);
    this.request.showPrinted(command.text, result);
  }

  /** @param {"opened" | "saved" | "changed on disk"} reason */
  #fileChanged(reason) {
    this.socket.suggest(this.editor.text);
    if (reason === "changed on disk" && this.check) this.check.check();
    this.#markBlocked();
  }

  /** Mark the line at which the current run blocks its loop. */
  #markBlocked() {
    this.stopper.disabled = !this.runs.live;
    const blocked = this.runs.live?.blocked;
    if (!blocked && !this.marked) return;
    this.marked = Boolean(blocked && this.runs.live?.file === this.file.open?.id);
    this.editor.mark(blocked && this.marked ? [{ line: blocked.line, message: `The event loop is blocked here (${blocked.seconds.toFixed(1)} s)` }] : []);
  }
}
