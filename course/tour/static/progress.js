// @ts-check
/** What the learner has visited and solved, as marks beside the links of the page. */

import { api } from "./connection.js";
import { element } from "./elements.js";

/** @typedef {{address: string, title: string, visited: boolean}} Step */
/** @typedef {{address: string, label: string, title: string, state: string}} Exercise */
/** @typedef {{lessons: {number: string, steps: Step[], exercises: Exercise[]}[], continue: string | null}} Course */

/**
 * Mark what is visited and solved, and tell the tour where the learner is.
 * @param {Course} course
 * @param {import("./tour.js").Page} page
 */
export function showProgress(course, page) {
  for (const { number, steps, exercises } of course.lessons) {
    for (const { address } of steps.filter(({ visited }) => visited)) tick(address, "visited");
    for (const { address, label, state } of exercises) showState(address, label, state);
    const visited = steps.filter((step) => step.visited).length;
    const solved = exercises.filter(({ state }) => state === "solved").length;
    const done = document.querySelector(`.done[data-lesson="${number}"]`);
    if (visited === steps.length && solved === exercises.length) tick(`/${number}`, "done", "h2 > ");
    if (done && (visited || solved)) {
      const places = [...steps.map((step) => ({ ...step, done: step.visited })), ...exercises.map((each) => ({ ...each, done: each.state === "solved" }))];
      const open = new Set(places.flatMap((place) => (place.done ? [] : [place.address])));
      done.textContent = `Visited ${visited} of ${steps.length}, solved ${solved} of ${exercises.length}${timeLeft(open, page.lessons?.find((each) => each.number === number))}`;
    }
  }
  const place = document.getElementById("continue");
  if (place && course.continue) {
    const found = course.lessons.flatMap(({ steps, exercises }) => [...steps, ...exercises]).find(({ address }) => address === course.continue);
    const begun = course.lessons.some(({ steps }) => steps.some(({ visited }) => visited));
    const text = begun ? "Go on where you were" : "Begin";
    place.replaceChildren(element("a", { href: course.continue, text: found ? `${text}: ${found.title}` : text }));
  }
  if (page.address && page.kind !== "map") api("POST", "/api/visited", { body: { address: page.address } }).catch(() => {});
}

/**
 * Return how long the rest of a lesson may take, without FURTHER.md: each of its places counts the same.
 * @param {Set<string>} open the addresses of the places that are not done
 * @param {import("./tour.js").Plan} [plan]
 */
function timeLeft(open, plan) {
  const left = plan?.core.filter((address) => open.has(address)).length;
  if (!plan || !left) return "";
  const minutes = (plan.minutes * left) / plan.core.length;
  return minutes < 90 ? `, about ${Math.max(5, Math.round(minutes / 5) * 5)} minutes left` : `, about ${Math.round(minutes / 60)} hours left`;
}

/** Show the state of an exercise. @param {string} address @param {string} label @param {string} state */
export function showState(address, label, state) {
  for (const place of document.querySelectorAll(`.state[data-exercise="${label}"]`)) {
    place.textContent = state === "to do" ? "" : `· ${state}`;
  }
  if (state === "solved") tick(address, "solved");
}

/**
 * Mark the links to an address. The heading of a lesson stands for all its pages, not for its introduction.
 * @param {string} address
 * @param {string} state
 * @param {string} where the links are, as the start of a selector
 */
function tick(address, state, where = ":not(h2) > ") {
  for (const link of document.querySelectorAll(`${where}a[data-address="${address}"]`)) {
    if (link.querySelector(".tick")) continue;
    link.append(element("span", { class: "tick", "aria-hidden": "true", text: "✓" }), element("span", { class: "visually-hidden", text: ` (${state})` }));
  }
}
