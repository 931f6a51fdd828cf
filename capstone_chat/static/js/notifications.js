/** A word from the desktop about new messages while the window is hidden, if the reader has asked for it. */

import { nameOf } from "./people.js";
import { go, href } from "./route.js";

const WANTED = "notifications"; // in localStorage

/** @typedef {"missing" | "denied" | "off" | "on"} State */

/** @returns {State} */
export function state() {
  if (!("Notification" in globalThis)) return "missing";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && localStorage.getItem(WANTED) === "on" ? "on" : "off";
}

/** Turn them on, for which the browser asks the reader, or off. @param {boolean} wanted */
export async function turn(wanted) {
  if (wanted && Notification.permission === "default") await Notification.requestPermission();
  localStorage.setItem(WANTED, wanted && Notification.permission === "granted" ? "on" : "off");
}

/**
 * Tell of a message, unless the reader is looking, wrote it or has read it.
 * @param {import("./store.js").Conversation} conversation
 * @param {import("./timeline.js").ChatEvent} event
 * @param {number} me
 */
export function tell(conversation, { seq, from, text }, me) {
  const { id, title, isPrivate, timeline } = conversation;
  if (document.visibilityState === "visible" || from.id === me || !text || seq <= timeline.read) return;
  if (state() !== "on") return;
  const shown = new Notification(title, {
    body: isPrivate ? text : `${nameOf(from)}: ${text}`,
    tag: `conversation-${id}`, // a newer one takes the place of an older one, also from another tab
    icon: document.querySelector('link[rel="icon"]')?.getAttribute("href") ?? "",
  });
  shown.addEventListener("click", () => {
    window.focus();
    go(href(id));
    shown.close();
  });
}
