/** A word from the desktop about new messages while the window is hidden, if the reader has asked for it. */

import { nameOf } from "../accounts/user_directory.js";
import { go, href } from "../browser/router.js";
import { local } from "../browser/storage.js";

const WANTED = "notifications"; // in localStorage

/** The browser has notifications but refuses to make one: Chrome on Android, even with permission. */
let refused = false;

/** @typedef {"missing" | "denied" | "off" | "on"} State */

/** @returns {NotificationPermission | null} null where the browser has no notifications */
function permission() {
  try {
    return Notification.permission;
  } catch {
    return null;
  }
}

/** @returns {State} */
export function state() {
  const allowed = permission();
  if (refused || allowed === null) return "missing";
  if (allowed === "denied") return "denied";
  return allowed === "granted" && local.getItem(WANTED) === "on" ? "on" : "off";
}

/** Turn them on, for which the browser asks the reader, or off. @param {boolean} wanted */
export async function turn(wanted) {
  if (wanted && permission() === "default") await askPermission();
  local.setItem(WANTED, wanted && permission() === "granted" ? "on" : "off");
}

/** Resolves when the reader has answered, or the browser has refused to ask. */
function askPermission() {
  return new Promise((resolve) => {
    try {
      // Safari before version 15 returns no promise and calls back.
      Notification.requestPermission(resolve)?.then(resolve, resolve);
    } catch {
      resolve(undefined);
    }
  });
}

/**
 * Tell of a message, unless the reader is looking, wrote it or has read it.
 * @param {import("../conversations/store.js").Conversation} conversation
 * @param {import("../conversations/timeline.js").ChatEvent} event
 * @param {number} me
 */
export function tell(conversation, { seq, from, text }, me) {
  const { id, title, isPrivate, timeline } = conversation;
  if (document.visibilityState === "visible" || from.id === me || !text || seq <= timeline.read) return;
  if (state() !== "on") return;
  const options = {
    body: isPrivate ? text : `${nameOf(from)}: ${text}`,
    tag: `conversation-${id}`, // a newer one takes the place of an older one, also from another tab
    icon: document.querySelector('link[rel="icon"]')?.getAttribute("href") ?? "",
  };
  try {
    const shown = new Notification(title, options);
    shown.addEventListener("click", () => {
      window.focus();
      go(href(id));
      shown.close();
    });
  } catch {
    refused = true;
  }
}
