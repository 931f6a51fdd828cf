// @ts-check
/** The file in the editor: open, change, save, and agree with the file on the disk. */

import { ApiError, api } from "./connection.js";
import { differences } from "./differences.js";
import { announce, button, element } from "./elements.js";

/** @typedef {{id: string, name: string, language: string}} Listed */
/** @typedef {{id: string, text: string, etag: string, path: string, editable: boolean, changed: boolean}} OnDisk */

/** Return the name of a file, with its folder if another one has the same name. @param {Listed} file @param {Listed[]} files */
const title = ({ id, name }, files) =>
  files.filter((each) => each.name === name).length > 1 ? id.slice(id.indexOf("/") + 1) : name;

export class FilePane {
  /**
   * @param {import("./editor.js").Editor} editor
   * @param {import("./connection.js").Channel} channel
   * @param {Listed[]} files of the page
   */
  constructor(editor, channel, files) {
    this.editor = editor;
    this.channel = channel;
    this.files = files;
    /** @type {OnDisk | null} */
    this.open = null;
    /** @type {(() => void)[]} */
    this.listeners = [];
    this.choice = element("select", { "aria-label": "File", onchange: () => this.show(this.choice.value) },
      ...files.map((file) => element("option", { value: file.id, text: title(file, files) })));
    this.state = element("span", { class: "file-state" });
    this.banner = element("div", { class: "banner", role: "alert", hidden: true });
    this.copier = button("Change it", () => this.copy(), { hidden: true, title: "Make a copy in my_work that you can change" });
    this.resetter = button("Reset", () => this.reset(), { hidden: true, title: "Back to the original; your version is kept beside it" });
    this.saver = button("Save", () => this.save(), { hidden: true, title: "Ctrl-S" });
    channel.on("file", ({ id, etag }) => this.#onDisk(id, etag));
    channel.on("open", () => this.open && this.channel.send({ type: "follow", file: this.open.id }));
    window.addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
  }

  get dirty() {
    return Boolean(this.open?.editable) && this.editor.text !== this.open?.text;
  }

  /** @param {(reason: "opened" | "saved" | "changed on disk") => void} listener */
  onChange(listener) {
    this.listeners.push(/** @type {any} */ (listener));
  }

  /** Show a file of the page. @param {string} id */
  async show(id) {
    if (this.dirty && !(await this.save())) {
      this.choice.value = this.open?.id;
      return;
    }
    await this.#load("GET", `/api/file/${id}`, "opened");
    this.channel.send({ type: "follow", file: id });
  }

  /** Make a copy of a script, which the learner can change. */
  async copy() {
    if (!this.open) return;
    await this.#load("POST", `/api/copy/${this.open.id}`, "opened");
    announce(`This copy is yours: ${this.open.path}`);
    this.editor.goTo(1);
  }

  async reset() {
    if (!this.open) return;
    if (this.dirty) await this.save(); // so that the version that is kept is the one in the editor
    await this.#load("POST", `/api/reset/${this.open.id}`, "opened");
    announce("The original is back. Your version is kept beside it.");
  }

  /** Save the text. @returns {Promise<boolean>} whether the file now has this text */
  async save() {
    if (!this.open || !this.dirty) return true;
    const { id, etag } = this.open;
    const { text } = this.editor;
    try {
      const answer = await api("PUT", `/api/file/${id}`, { body: { text }, etag });
      Object.assign(this.open, { text, etag: answer.etag, changed: true });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 412) this.#conflict({ ...this.open, ...error.answer });
      else this.#say(error.message);
      return false;
    }
    this.#notify("saved");
    return true;
  }

  /** Show whether the text is saved. */
  showState() {
    const { open } = this;
    this.copier.hidden = !open || open.editable;
    this.saver.hidden = !open?.editable;
    this.saver.disabled = !this.dirty;
    this.resetter.hidden = !open?.editable || !open.changed;
    this.state.textContent = !open ? "" : `${open.path}${open.editable ? (this.dirty ? ", not saved" : ", saved") : ", read only"}`;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {"opened" | "changed on disk"} reason
   */
  async #load(method, path, reason) {
    try {
      this.#take(await api(method, path), reason);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.message);
    }
  }

  /** @param {OnDisk} file @param {"opened" | "changed on disk"} reason */
  #take(file, reason) {
    const listed = this.files.find(({ id }) => id === file.id);
    this.open = file;
    this.choice.value = file.id;
    this.editor.show(file.text, listed?.language ?? "", !file.editable, listed?.name ?? file.id);
    this.banner.hidden = true;
    this.#notify(reason);
  }

  /** Another program has changed a file. @param {string} id @param {string} etag */
  async #onDisk(id, etag) {
    if (id !== this.open?.id || etag === this.open.etag) return;
    const file = await api("GET", `/api/file/${id}`);
    if (id !== this.open?.id || file.etag === this.open.etag) return;
    if (this.dirty && file.text !== this.editor.text) this.#conflict(file);
    else {
      this.#take(file, "changed on disk");
      announce("The file was changed by another program. The editor shows the new text.");
    }
  }

  /** Let the learner choose between the text in the editor and the one on the disk. @param {OnDisk} file */
  #conflict(file) {
    const keep = async () => {
      if (this.open) this.open.etag = file.etag;
      this.banner.hidden = true;
      await this.save();
    };
    this.banner.replaceChildren(
      element("p", { text: "The file was changed by another program, and you have changed it here." }),
      button("Take the file's text", () => this.#take({ ...file, editable: true, changed: true }, "changed on disk")),
      button("Keep my text", keep),
      button("Compare", () => this.#compare(file.text)),
    );
    this.banner.hidden = false;
  }

  /** Show which lines differ. @param {string} theirs */
  #compare(theirs) {
    const lines = differences(theirs, this.editor.text);
    const dialog = element("dialog", { class: "compare", "aria-labelledby": "compare-title", onclose: () => dialog.remove() },
      element("h2", { id: "compare-title", text: "Compare" }),
      element("p", { text: "− only in the file on the disk, + only in the editor" }),
      element("pre", { tabindex: 0, "aria-label": "Differences" }, ...lines.map(({ sign, text }) =>
        element("span", { class: sign === "+" ? "added" : sign === "-" ? "removed" : "same", text: `${sign === "-" ? "−" : sign} ${text}\n` }))),
      button("Close", () => dialog.close()));
    document.body.append(dialog);
    dialog.showModal();
  }

  /** @param {string} text */
  #say(text) {
    this.banner.replaceChildren(element("p", { text }), button("Close", () => { this.banner.hidden = true; }));
    this.banner.hidden = false;
  }

  /** @param {"opened" | "saved" | "changed on disk"} reason */
  #notify(reason) {
    this.showState();
    for (const listener of this.listeners) /** @type {any} */ (listener)(reason);
  }
}
