// @ts-check
/** The Check tab: the check of an exercise, its hints and its solution. */

import { ApiError, api } from "./connection.js";
import { announce, button, element, inSeconds } from "./elements.js";

/** @typedef {{label: string, title: string, goal: string, hints: number, state: string}} Exercise */

export class CheckTab {
  /**
   * @param {HTMLElement} panel
   * @param {import("./connection.js").Channel} channel
   * @param {Exercise} exercise
   * @param {string | null} next the address of the next page
   * @param {{save: () => Promise<boolean>, goTo: (line: number) => void, mark: (marks: import("./editor.js").Mark[]) => void, ended: (state: string) => void}} actions
   */
  constructor(panel, channel, exercise, next, actions) {
    this.next = next;
    this.exercise = exercise;
    this.actions = actions;
    /** @type {import("./editor.js").Mark[]} */
    this.marks = [];
    this.verdict = element("p", { class: "verdict", text: `${exercise.state === "solved" ? "Solved. " : ""}Check (Ctrl-S) saves the file and checks it.` });
    this.failures = element("ol", { class: "failures", "aria-label": "Failures" });
    this.notes = element("div", { class: "notes" });
    this.help = element("div", { class: "help" });
    this.hinter = button("Next hint", () => this.hint(), { title: "Ctrl-Shift-H" });
    this.solver = button("Show a solution", () => this.solution());
    panel.append(
      element("div", { class: "line" }, button("Check", () => this.check(), { title: "Ctrl-S", class: "primary", "data-focus": true }), this.hinter, this.solver),
      this.verdict, this.failures, this.notes, this.help,
    );
    /** @type {(message: any) => boolean} */
    const ours = ({ label }) => label === exercise.label;
    channel.on("check.started", (message) => ours(message) && this.#begin());
    channel.on("check.failure", (message) => ours(message) && this.#failure(message));
    channel.on("check.ended", (message) => ours(message) && this.#end(message));
  }

  /** Save the file and check it. */
  async check() {
    if (!(await this.actions.save())) return;
    this.#begin();
    await this.#ask("POST", "check");
  }

  /** Show the next hint. @param {boolean} [anyway] also before a try */
  async hint(anyway = false) {
    const answer = await this.#ask("POST", "hint", anyway, () => this.hint(true));
    if (!answer) return;
    const title = `Hint ${answer.number} of ${answer.of}`;
    this.#help(title, element("p", { text: answer.text }));
    announce(`${title}: ${answer.text}`);
  }

  /** Show a solution. @param {boolean} [anyway] also before a try */
  async solution(anyway = false) {
    const answer = await this.#ask("GET", "solution", anyway, () => this.solution(true));
    if (answer) this.#help("A solution", element("pre", { tabindex: 0, "aria-label": "A solution", text: answer.text }));
  }

  /**
   * @param {string} method
   * @param {string} what
   * @param {boolean} [anyway]
   * @param {() => void} [again]
   */
  async #ask(method, what, anyway = false, again = undefined) {
    try {
      return await api(method, `/api/${what}/${this.exercise.label}${anyway ? "?anyway=1" : ""}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409 && again) this.#help("Not yet", element("p", { text: error.message }), button("Show it anyway", again));
      else this.verdict.textContent = error.message;
      announce(error.message);
      return null;
    }
  }

  /** @param {string} title @param {...Node} content */
  #help(title, ...content) {
    for (const old of this.help.querySelectorAll(".not-yet")) old.remove();
    for (const old of this.help.querySelectorAll("section")) if (old.querySelector("h2")?.textContent === title) old.remove();
    const section = element("section", { class: title === "Not yet" ? "not-yet" : "" }, element("h2", { text: title }), ...content);
    this.help.prepend(section);
    section.scrollIntoView({ block: "nearest" });
  }

  #begin() {
    this.marks = [];
    this.actions.mark([]);
    this.verdict.className = "verdict";
    this.verdict.textContent = "Checking …";
    this.failures.replaceChildren();
    this.notes.replaceChildren();
  }

  /** @param {{test: string, message: string, line: number | null}} failure */
  #failure({ test, message, line }) {
    const first = this.failures.childElementCount === 0;
    this.failures.append(element("li", {},
      element("h2", { text: test }),
      element("pre", { tabindex: 0, "aria-label": `Report of: ${test}`, text: message }),
      ...(line ? [this.#lineButton(line)] : [])));
    if (line) this.#mark(line, test);
    if (first) announce(`Failed: ${test}`);
  }

  /** @param {{passed: boolean, tests: number, failed: number, seconds: number, problem: any, output: string, state: string}} result */
  #end({ passed, tests, failed, seconds, problem, output, state }) {
    this.verdict.classList.add(passed ? "passed" : "failed");
    const cases = `${tests} ${tests === 1 ? "case" : "cases"}`;
    const time = inSeconds(seconds);
    this.verdict.textContent = passed ? `Solved: ${cases} passed in ${time}.`
      : problem ? "The check could not run to its end." : `${failed} of ${cases} failed, after ${time}.`;
    if (!problem && failed > this.failures.childElementCount) {
      this.notes.append(element("p", { text: "Cases that fail in the same way are shown once." }));
    }
    if (problem) {
      const text = typeof problem === "string" ? problem : problem.message;
      this.notes.append(element("pre", { tabindex: 0, "aria-label": "Problem", text }));
      if (problem.line) {
        this.notes.append(this.#lineButton(problem.line));
        this.#mark(problem.line, text);
      }
    }
    if (output) this.notes.append(element("h2", { text: "Your program printed" }), element("pre", { tabindex: 0, "aria-label": "What your program printed", text: output }));
    announce(this.verdict.textContent ?? "");
    if (passed && this.next) this.notes.append(element("p", {}, element("a", { href: this.next, text: "Next page" }), " (Alt-N)"));
    this.actions.ended(state);
  }

  /** @param {number} line */
  #lineButton(line) {
    return button(`Go to your line ${line}`, () => this.actions.goTo(line));
  }

  /** @param {number} line @param {string} message */
  #mark(line, message) {
    this.marks.push({ line, message });
    this.actions.mark(this.marks);
  }
}
