// @ts-check
/** The Run buttons of the commands in the text. */

import { ApiError, api } from "./connection.js";
import { announce, button, element } from "./elements.js";
import { keep, recall } from "./kept.js";

/** @typedef {{text: string, kind: "start" | "break" | "request" | "other", request: import("./request.js").Request | null, shown: string}} Command */
/** @typedef {{id: string, script: string, options: string[], change: string | null, commands: Command[]}} Session */
/** @typedef {{run: string, output: string, shown: string, matches: boolean, ms: number}} Result */

export class Commands {
  /**
   * @param {Session[]} sessions
   * @param {{runs: import("./runs.js").Runs, before: (session: Session) => Promise<void>, done: (session: Session, command: Command, result: Result) => void}} actions
   */
  constructor(sessions, actions) {
    this.actions = actions;
    /** @type {{session: Session, undo: HTMLButtonElement}[]} */
    this.undos = [];
    for (const session of sessions) {
      const figure = document.querySelector(`[data-session="${session.id}"]`);
      if (figure) this.#addButtons(figure, session);
    }
    actions.runs.onChange(() => this.#showUndos());
  }

  /** @param {Element} figure @param {Session} session */
  #addButtons(figure, session) {
    for (const [number, command] of session.commands.entries()) {
      const line = figure.querySelector(`[data-command="${number}"]`);
      if (!line || command.kind === "other") continue;
      const mark = element("span", { class: "mark" });
      const before = recall(`mark.${session.id}/${number}`);
      if (before) showMark(mark, before.matches);
      const title = session.change && number === 0 ? "Change and run" : "Run";
      const runner = button(title, () => this.#run(session, number, runner, mark), { class: "run", "aria-label": `${title}: ${command.text}` });
      line.append(mark, runner);
      if (session.change && number === 0) {
        const undo = button("Undo the change", () => this.#undo(session), { class: "undo", hidden: true });
        this.undos.push({ session, undo });
        line.append(undo);
      }
    }
  }

  /** @param {Session} session @param {number} number @param {HTMLButtonElement} runner @param {HTMLElement} mark */
  async #run(session, number, runner, mark) {
    const command = session.commands[number];
    runner.setAttribute("aria-disabled", "true");
    mark.className = "mark";
    mark.textContent = "…";
    try {
      await this.actions.before(session);
      await this.actions.runs.makeRoom(`script:${session.script}`);
      const result = await api("POST", `/api/session/${session.id}/${number}`);
      showMark(mark, result.matches);
      keep(`mark.${session.id}/${number}`, { matches: result.matches });
      announce(result.matches ? "The result is as in the text." : "The result differs from the text.");
      this.actions.done(session, command, result);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      mark.className = "mark differs";
      mark.textContent = error.message;
      announce(error.message);
    } finally {
      runner.removeAttribute("aria-disabled");
    }
  }

  /** Stop the changed copy of a session. @param {Session} session */
  #undo(session) {
    for (const run of this.#changed(session)) this.actions.runs.stop(run.run);
  }

  /** @param {Session} session */
  #changed(session) {
    return this.actions.runs.running.filter((run) => run.session === session.id);
  }

  #showUndos() {
    for (const { session, undo } of this.undos) undo.hidden = this.#changed(session).length === 0;
  }
}

/** Say whether a command has printed what the text shows. @param {HTMLElement} mark @param {boolean} matches */
function showMark(mark, matches) {
  mark.className = `mark ${matches ? "as-shown" : "differs"}`;
  mark.textContent = matches ? "as in the text" : "differs";
}
