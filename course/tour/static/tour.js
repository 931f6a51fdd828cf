// @ts-check
/** The start of every page of the tour: connect, show the progress, build the workbench. */

import { ApiError, api, Channel, redeemCode } from "./connection.js";
import { button, element } from "./elements.js";
import { allKeys, keysDialog, listen } from "./keys.js";
import { focusNext } from "./panes.js";
import { showProgress } from "./progress.js";
import { Runs } from "./runs.js";
import { Workbench } from "./workbench.js";

/** @typedef {{number: string, minutes: number, core: string[]}} Plan `core`: the addresses for a first reading */
/** @typedef {{kind: string, address: string, title: string, next: string | null, previous: string | null, files: import("./file.js").Listed[], sessions: import("./commands.js").Session[], exercise: import("./check.js").Exercise | null, lessons?: Plan[]}} Page */

/** @type {Page} */
const page = JSON.parse(document.getElementById("page")?.textContent ?? "{}");
const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const tools = /** @type {HTMLElement} */ (document.getElementById("tools"));
const notice = element("div", { class: "notice", role: "status", hidden: true });

/** Show a text at the top of the page. @param {string} text */
function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

/** Return why the page is not connected. @param {unknown} error */
function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  return [401, 403].includes(error.status)
    ? "To run the scripts, open the address that the terminal of the tour shows. Press Enter in that terminal for a new one."
    : error.message;
}

/** Connect, and return the learner's course; null without a valid token. */
async function connect() {
  try {
    await redeemCode();
    return await api("GET", "/api/course");
  } catch (error) {
    say(explain(error));
    return null;
  }
}

/** Build what runs. @param {any} course */
function build(course) {
  const channel = new Channel();
  const scripts = new Set([...page.files.map(({ id }) => id), ...page.sessions.map(({ script }) => `script:${script}`)]);
  const runs = new Runs(channel, scripts, course.address_of_scripts);
  showProgress(course, page);
  channel.on("error", ({ error }) => say(error));
  channel.on("runs", () => say(""));
  // A tour that was started again has another token.
  channel.on("lost", () => api("GET", "/api/course").catch((error) => say(explain(error))));
  const place = document.getElementById("workbench");
  const workbench = place && new Workbench(page, place, channel, runs);
  /** @param {string | null} address */
  const go = async (address) => {
    if (address && (!workbench || (await workbench.file.save()))) location.href = address;
  };
  const panes = () => [tools, main, ...(workbench?.panes ?? [])];
  const keys = allKeys({
    save: () => workbench?.save(),
    run: () => workbench?.run(),
    hint: () => workbench?.check?.hint(),
    next: () => go(page.next),
    previous: () => go(page.previous),
    nextPane: () => focusNext(panes(), 1),
    previousPane: () => focusNext(panes(), -1),
    list: () => dialog.showModal(),
  });
  const dialog = keysDialog(keys);
  document.body.append(dialog);
  notice.after(runs.note);
  tools.append(runs.bar, button("Keys", () => dialog.showModal(), { class: "keys-opener", title: "?" }));
  listen(keys);
  channel.connect();
}

document.querySelector(".columns")?.before(notice);
// A new address in the window of an old page changes only the part after the #.
addEventListener("hashchange", () => location.hash.startsWith("#code=") && location.reload());
const course = await connect();
if (course) build(course);
