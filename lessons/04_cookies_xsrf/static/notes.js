// The value of one of this page's cookies. Those with HttpOnly are not in document.cookie.
const cookie = (name) =>
  document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

async function send(note, withToken) {
  const headers = { "Content-Type": "application/json" };
  if (withToken) headers["X-XSRFToken"] = cookie("_xsrf");
  return fetch("/notes", { method: "POST", headers, body: JSON.stringify({ note }) });
}

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const note = event.target.elements.note.value;
  const response = await send(note, event.submitter.value === "yes");
  document.querySelector("#answer").textContent = `${response.status} ${response.statusText}`;
  if (!response.ok) return;
  const { notes } = await response.json();
  const items = notes.map((text) => {
    const item = document.createElement("li");
    item.textContent = text; // as text: a note may contain markup
    return item;
  });
  document.querySelector("#notes").replaceChildren(...items);
});
