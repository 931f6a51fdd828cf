// Searches the site: all words must be on a page, and a page with them in its title comes first.
// A classic script, because a browser loads no module from the disk.

"use strict";

{
  const LIMIT = 50;
  const field = document.getElementById("query");
  const status = document.getElementById("found");
  const list = document.getElementById("results");
  const names = Object.keys(SEARCH_INDEX.words);

  /** Returns the pages with a word that begins with `start`, each with its weight. */
  function pagesOf(start) {
    const weights = new Map();
    for (const name of names) {
      if (!name.startsWith(start)) continue;
      for (const number of SEARCH_INDEX.words[name]) {
        const page = number < 0 ? -number - 1 : number;
        const weight = (number < 0 ? 10 : 1) * (name === start ? 2 : 1);
        weights.set(page, Math.max(weights.get(page) ?? 0, weight));
      }
    }
    return weights;
  }

  /** Returns the numbers of the pages that hold all words of the query, the best first. */
  function search(query) {
    const words = query.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
    const found = words.map(pagesOf);
    if (!found.length) return [];
    const all = [...found[0].keys()].filter((page) => found.every((each) => each.has(page)));
    const total = (page) => found.reduce((sum, each) => sum + each.get(page), 0);
    return all.sort((one, other) => total(other) - total(one) || one - other);
  }

  function item(page) {
    const [address, title, lesson, summary] = SEARCH_INDEX.pages[page];
    const link = document.createElement("a");
    link.href = `..${address}/index.html`;
    link.textContent = title;
    const place = document.createElement("span");
    place.className = "place";
    place.textContent = lesson;
    const text = document.createElement("p");
    text.textContent = summary;
    const entry = document.createElement("li");
    entry.append(link, " ", place, text);
    return entry;
  }

  function show() {
    const query = field.value.trim();
    const pages = query ? search(query) : [];
    list.replaceChildren(...pages.slice(0, LIMIT).map(item));
    if (!query) status.textContent = "";
    else if (!pages.length) status.textContent = `No page has “${query}”.`;
    else status.textContent = pages.length === 1 ? "1 page" : `${pages.length} pages`;
  }

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", show);
  field.form.addEventListener("submit", (event) => event.preventDefault());
  show();
}
