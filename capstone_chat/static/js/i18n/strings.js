/** All texts of the scripts, in the language of the page. */

/** @typedef {typeof import("./strings/en.js").strings} Strings */

const MODULES = /** @type {Record<string, string>} */ ({ "zh-CN": "zh_CN", ru: "ru" });
const language = MODULES[document.documentElement.lang] ?? "en";

/** @type {{strings: Strings}} */
export const { strings } = await import(`./strings/${language}.js`);
