const state = document.getElementById("state");
const list = document.getElementById("news");

async function show() {
  const { news } = await (await fetch("/news")).json();
  const names = [...new Set(news.reverse())];
  const notes = await Promise.all(names.map(async (name) => {
    const answer = await fetch(`/note/${name}`);
    return [name, answer.ok ? await answer.text() : "(gone)"];
  }));
  list.replaceChildren(...notes.map(([name, text]) => {
    const item = document.createElement("li");
    const title = document.createElement("strong");
    title.textContent = name;
    item.append(title, " ", text); // a string becomes text, never markup
    return item;
  }));
}

document.getElementById("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, text, seconds } = Object.fromEntries(new FormData(event.target));
  const body = new Blob([text]);
  const answer = await fetch(`/note/${name}?seconds=${seconds}`, { method: "POST", body });
  state.textContent = answer.ok ? "kept" : `refused: ${answer.status}`;
});

async function follow() {
  try {
    await show();
  } catch {
    state.textContent = "the server is away";
  }
  setTimeout(follow, 1000);
}
follow();
