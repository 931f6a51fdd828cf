/** What a browser calls itself, in words that people know. */

import { strings } from "../i18n/strings.js";

/** The first that fits: most browsers call themselves by the names of others too. */
const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "YaBrowser/": "Yandex", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Android: "Android", "iPhone": "iPhone", "iPad": "iPad", Windows: "Windows", "Mac OS": "macOS", CrOS: "ChromeOS", Linux: "Linux" };

/** @param {string} agent @param {Record<string, string>} names */
const find = (agent, names) => Object.entries(names).find(([mark]) => agent.includes(mark))?.[1];

/** @param {string} agent the User-Agent header */
export function browserName(agent) {
  const browser = find(agent, BROWSERS);
  const system = find(agent, SYSTEMS);
  if (browser && system) return strings.browserOn(browser, system);
  return browser ?? system ?? strings.unknownBrowser;
}
