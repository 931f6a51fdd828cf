// @ts-check
/** The editor of a file: CodeMirror, or a plain text field for those who prefer it. */

import * as cm from "./vendor/codemirror.js";
import { element } from "./elements.js";

const PLAIN = "tour.plain";
/** @type {Record<string, () => any>} */
const LANGUAGES = { python: cm.python, html: cm.html, javascript: cm.javascript, css: cm.css };

const { tags } = cm;
const COLOURS = cm.HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.comment, tags.docString], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.className, tags.tagName], color: "var(--code-name)" },
  { tag: [tags.attributeName, tags.propertyName], color: "var(--code-property)" },
]);
const LOOK = {
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)" },
  "&.cm-focused": { outline: "none" }, // workbench.css draws it around the gutter too
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "14px", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--muted)", backgroundColor: "var(--paper)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--line-back)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  ".cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--paper)", borderColor: "var(--line)" },
};

/** @typedef {{line: number, message: string, severity?: "error" | "warning"}} Mark */

/**
 * @typedef {object} Surface what shows the text
 * @property {HTMLElement} element
 * @property {() => string} text
 * @property {(text: string, language: string, readOnly: boolean) => void} show
 * @property {() => void} focus
 * @property {(line: number) => void} goTo
 * @property {(marks: Mark[]) => void} mark
 * @property {(label: string) => void} label
 */

/** Attributes of the editable element. @param {string} label */
const attributes = (label) => cm.EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" });

/**
 * Put typed text in the place of a selection. Chromium would keep the colour of the old text by a style attribute,
 * which the Content Security Policy forbids.
 */
const typedOverSelection = cm.EditorView.domEventHandlers({
  beforeinput(/** @type {InputEvent} */ event, /** @type {any} */ view) {
    if (event.inputType !== "insertText" || !event.data || view.state.readOnly || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

/** CodeMirror. @param {() => void} onChange @returns {Surface} */
function codeMirror(onChange) {
  const name = new cm.Compartment();
  /** @type {any} */
  let view;
  const state = (/** @type {string} */ doc, /** @type {string} */ lang, /** @type {boolean} */ readOnly) =>
    cm.EditorState.create({
      doc,
      extensions: [
        cm.lineNumbers(), cm.lintGutter(), cm.history(), cm.drawSelection(), cm.indentOnInput(), cm.bracketMatching(),
        cm.highlightActiveLine(), cm.highlightActiveLineGutter(), cm.syntaxHighlighting(COLOURS),
        typedOverSelection, cm.EditorView.theme(LOOK, { dark: matchMedia("(prefers-color-scheme: dark)").matches }),
        cm.indentUnit.of(lang === "python" ? "    " : "  "),
        cm.keymap.of([
          { key: "Tab", run: cm.indentMore, shift: cm.indentLess }, ...cm.defaultKeymap, ...cm.historyKeymap,
        ]),
        LANGUAGES[lang]?.() ?? [], cm.EditorState.readOnly.of(readOnly),
        name.of(attributes("Editor")),
        cm.EditorView.updateListener.of((/** @type {any} */ update) => update.docChanged && onChange()),
      ],
    });
  // In a shadow tree CodeMirror needs no style elements, which the Content Security Policy forbids.
  const host = element("div", { class: "code-mirror", "data-focus": true });
  const root = host.attachShadow({ mode: "open" });
  view = new cm.EditorView({ state: state("", "", true), parent: root, root });
  host.focus = () => view.focus();
  const lineAt = (/** @type {number} */ line) => view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  return {
    element: host,
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    show(text, lang, readOnly) {
      const { anchor } = view.state.selection.main;
      const top = view.scrollDOM.scrollTop;
      view.setState(state(text, lang, readOnly));
      view.dispatch({ selection: { anchor: Math.min(anchor, text.length) } });
      view.scrollDOM.scrollTop = top;
    },
    goTo(line) {
      const { from } = lineAt(line);
      view.dispatch({ selection: { anchor: from }, effects: cm.EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
    mark(marks) {
      view.dispatch(cm.setDiagnostics(view.state, marks.map(({ line, message, severity = "error" }) => {
        const { from, to } = lineAt(line);
        return { from, to, severity, message };
      })));
    },
    label(text) {
      view.dispatch({ effects: name.reconfigure(attributes(text)) });
    },
  };
}

/** A plain text field, with its marks as lines of text above it. @param {() => void} onChange @returns {Surface} */
function textField(onChange) {
  const marks = element("ul", { class: "marks" });
  const field = element("textarea", { class: "plain", spellcheck: "false", autocapitalize: "off", wrap: "off", readonly: true, "data-focus": true, oninput: onChange });
  return {
    element: element("div", { class: "plain-editor" }, marks, field),
    text: () => field.value,
    focus: () => field.focus(),
    show(text, _, readOnly) {
      const place = field.selectionStart;
      field.value = text;
      field.readOnly = readOnly;
      field.setSelectionRange(place, place);
    },
    goTo(line) {
      const lines = field.value.split("\n");
      const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      field.focus();
      field.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
      field.scrollTop = (field.scrollHeight * (line - 4)) / lines.length;
    },
    mark(found) {
      marks.replaceChildren(...found.map(({ line, message }) => element("li", { text: `Line ${line}: ${message}` })));
    },
    label: (text) => field.setAttribute("aria-label", text),
  };
}

/** The editor, in the mode that the learner has chosen. */
export class Editor {
  /** @param {() => void} onChange called after each change of the text by the learner */
  constructor(onChange) {
    this.element = element("div", { class: "editor" });
    this.onChange = onChange;
    /** @type {{text: string, language: string, readOnly: boolean}} */
    this.shown = { text: "", language: "", readOnly: true };
    this.name = "Editor";
    this.quiet = false;
    this.plain = localStorage.getItem(PLAIN) === "yes";
    this.surface = this.#makeSurface();
  }

  get text() {
    return this.surface.text();
  }

  /** @param {string} text @param {string} language @param {boolean} readOnly @param {string} name of the file */
  show(text, language, readOnly, name) {
    this.shown = { text, language, readOnly };
    this.name = readOnly ? `${name}, read only` : name;
    this.quiet = true;
    this.surface.show(text, language, readOnly);
    this.surface.label(this.name);
    this.quiet = false;
  }

  focus() {
    this.surface.focus();
  }

  /** Mark lines with messages; an empty list removes all marks. @param {Mark[]} marks */
  mark(marks) {
    this.surface.mark(marks);
  }

  /** Move to a line. @param {number} line counted from 1 */
  goTo(line) {
    this.surface.goTo(line);
  }

  /** Change between CodeMirror and the plain text field. */
  toggle() {
    const { text } = this;
    this.plain = !this.plain;
    localStorage.setItem(PLAIN, this.plain ? "yes" : "no");
    this.surface = this.#makeSurface();
    this.quiet = true;
    this.surface.show(text, this.shown.language, this.shown.readOnly);
    this.surface.label(this.name);
    this.quiet = false;
  }

  #makeSurface() {
    const changed = () => this.quiet || this.onChange();
    const surface = this.plain ? textField(changed) : codeMirror(changed);
    this.element.replaceChildren(surface.element);
    return surface;
  }
}
