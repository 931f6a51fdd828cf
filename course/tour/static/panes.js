// @ts-check
/** The panes of the page: tabs, the bars between panes, and the way from pane to pane. */

import { element } from "./elements.js";

/**
 * A list of tabs, each with its panel, after the pattern of the ARIA Authoring Practices Guide.
 */
export class Tabs {
  /**
   * @param {string} label
   * @param {[id: string, title: string][]} tabs
   */
  constructor(label, tabs) {
    this.list = element("div", { class: "tabs", role: "tablist", "aria-label": label });
    /** @type {Map<string, {tab: HTMLElement, panel: HTMLElement}>} */
    this.byId = new Map();
    /** @type {((id: string) => void)[]} */
    this.listeners = [];
    for (const [id, title] of tabs) {
      const tab = element("button", {
        type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`, text: title,
        onclick: () => this.select(id),
      });
      const panel = element("section", { class: "panel", role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` });
      this.byId.set(id, { tab, panel });
      this.list.append(tab);
    }
    this.list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#move(event));
    this.selected = tabs[0][0];
    this.select(this.selected);
  }

  get panels() {
    return [...this.byId.values()].map(({ panel }) => panel);
  }

  /** @param {string} id @returns {HTMLElement} */
  panel(id) {
    return /** @type {any} */ (this.byId.get(id)).panel;
  }

  /** @param {string} id */
  select(id) {
    this.selected = id;
    for (const [each, { tab, panel }] of this.byId) {
      tab.setAttribute("aria-selected", String(each === id));
      tab.tabIndex = each === id ? 0 : -1;
      panel.hidden = each !== id;
    }
    for (const listener of this.listeners) listener(id);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const ids = [...this.byId.keys()];
    const here = ids.indexOf(this.selected);
    const places = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: ids.length - 1 };
    const place = places[/** @type {keyof typeof places} */ (event.key)];
    if (place === undefined) return;
    event.preventDefault();
    const id = ids[(place + ids.length) % ids.length];
    this.select(id);
    this.byId.get(id)?.tab.focus();
  }
}

/**
 * Return a bar that divides two panes. The mouse and the arrow keys move it; the place is remembered.
 * @param {string} name of the CSS property `--NAME`, the percentage of the pane before the bar
 * @param {string} label
 * @param {HTMLElement} parent the element that holds the two panes
 * @param {"vertical" | "horizontal"} orientation of the bar
 * @param {number} start percentage
 */
export function splitter(name, label, parent, orientation, start) {
  const bar = element("div", {
    class: "splitter", role: "separator", tabindex: 0, "aria-label": label, "aria-orientation": orientation,
    "aria-valuemin": 15, "aria-valuemax": 85,
  });
  /** @param {number} percent */
  const place = (percent) => {
    const value = Math.round(Math.min(85, Math.max(15, percent)));
    parent.style.setProperty(`--${name}`, `${value}%`);
    bar.setAttribute("aria-valuenow", String(value));
    localStorage.setItem(`tour.${name}`, String(value));
  };
  place(Number(localStorage.getItem(`tour.${name}`)) || start);
  bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const now = Number(bar.getAttribute("aria-valuenow"));
    const [less, more] = orientation === "vertical" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const values = { [less]: now - 5, [more]: now + 5, Home: 15, End: 85 };
    if (!(event.key in values)) return;
    event.preventDefault();
    place(values[event.key]);
  });
  bar.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    document.body.classList.add("dragging"); // a frame under the pointer would take its events
  });
  bar.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = parent.getBoundingClientRect();
    place(orientation === "vertical"
      ? (100 * (event.clientX - box.left)) / box.width
      : (100 * (event.clientY - box.top)) / box.height);
  });
  bar.addEventListener("lostpointercapture", () => document.body.classList.remove("dragging"));
  return bar;
}

/**
 * Move the focus to the next pane that is shown.
 * @param {any[]} panes
 * @param {number} direction 1 or -1
 */
export function focusNext(panes, direction) {
  const shown = panes.filter((pane) => pane.offsetParent !== null);
  const here = shown.findIndex((pane) => pane.contains(document.activeElement));
  const next = shown[(here + direction + shown.length) % shown.length];
  /** @type {HTMLElement[]} */
  const targets = [...next.querySelectorAll("[data-focus], [role=tab][aria-selected=true], .name")];
  (targets.find((each) => each.offsetParent !== null && each.matches("[data-focus]")) ?? targets[0] ?? next).focus();
}
