// The page of the chat. What people write becomes text nodes, never markup.
const page = document.querySelector("#chat");
const me = JSON.parse(page.dataset.user);
const log = document.querySelector("#log");
const composer = document.querySelector("#composer");
const state = document.querySelector("#state");
const title = document.querySelector("#title");
const groups = document.querySelector("#groups");
const people = document.querySelector("#people");
const conversations = new Map(); // by id: the summaries of the API
let current; // the conversation that is open
let socket;

// Call the API; the result is the JSON of the answer.
async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401) location.assign("/login"); // the session has ended
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws`);
  socket.onopen = () => showState("online");
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (code === 3500) location.assign("/login"); // the session has ended
    showState("offline", "The connection is lost. Reload the page.");
  };
}

function receive(frame) {
  if (frame.type === "message") showMessage(frame);
  if (frame.type === "error") showState("online", frame.message);
}

function showState(name, text = name) {
  state.dataset.state = name;
  state.textContent = text;
}

// Make an element with properties and children; a string becomes a text node.
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// The picture of a user, or a circle with the first letter; its colour depends on the name.
function makeAvatar(user, kind = "") {
  const className = `avatar ${kind}`;
  if (user.picture)
    return make("span", { className }, make("img", { src: `/pictures/${user.picture}.webp`, alt: "" }));
  const letter = [...user.nickname][0].toUpperCase();
  const avatar = make("span", { className, ariaHidden: "true" }, letter);
  const sum = [...user.nickname].reduce((total, each) => total * 31 + each.codePointAt(0), 7);
  avatar.style.setProperty("--hue", sum % 360);
  return avatar;
}

function makeRow(message) {
  const mine = message.from.id === me.id;
  const at = new Date(message.at);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const bubble = make("div", { className: "bubble" },
    make("button", { className: "name", onclick: () => openPrivateChat(message.from.id) },
      message.from.nickname),
    make("p", {}, message.text),
    make("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, time));
  return make("div", { className: mine ? "mine" : "theirs" }, makeAvatar(message.from), bubble);
}

function showMessage(message) {
  if (!conversations.has(message.conv)) return loadState(); // joined in another window
  if (message.conv !== current?.id) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(makeRow(message));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function loadState() {
  for (const each of (await call("GET", "/api/state")).conversations) keep(each);
  showList();
}

function keep(summary) {
  conversations.set(summary.id, Object.assign(conversations.get(summary.id) ?? {}, summary));
}

function showList() {
  const all = [...conversations.values()];
  const contacts = all.filter((each) => each.peer);
  document.querySelector("#list").replaceChildren(
    make("h2", {}, "Groups"), ...all.filter((each) => !each.peer).map(makeListRow),
    make("h2", {}, "People"), ...contacts.map(makeListRow),
    contacts.length ? "" : make("p", { className: "empty" }, "No contacts yet."));
}

function makeListRow({ id, title, peer }) {
  const text = make("span", {}, make("b", {}, title));
  const onclick = () => openConversation(id);
  const avatar = makeAvatar(peer ?? { nickname: title }, peer ? "" : "group");
  const row = make("button", { className: "row", onclick }, avatar, text);
  row.ariaCurrent = id === current?.id ? "true" : null;
  return row;
}

async function openConversation(id) {
  current = conversations.get(id);
  page.dataset.view = "conversation";
  title.textContent = current.title;
  composer.hidden = false;
  log.replaceChildren();
  showList();
  const { events } = await call("GET", `/api/conversations/${id}/events`);
  if (current.id !== id) return; // another one was opened meanwhile
  log.replaceChildren(...events.map(makeRow));
  log.scrollTop = log.scrollHeight;
}

document.querySelector("#back").onclick = () => (page.dataset.view = "list");

// The dialog of all groups
document.querySelector("#find-groups").onclick = async () => {
  groups.showModal();
  const found = (await call("GET", "/api/groups")).groups;
  document.querySelector("#found-groups").replaceChildren(...found.map(makeGroupRow));
};

function makeGroupRow({ id, title, members, joined }) {
  const count = make("small", {}, members === 1 ? "1 member" : `${members} members`);
  const text = make("span", {}, make("b", {}, title), count);
  const onclick = () => enter(groups, call("POST", `/api/groups/${id}/join`));
  const button = make("button", { onclick }, joined ? "Open" : "Join");
  return make("div", { className: "row" }, makeAvatar({ nickname: title }, "group"), text, button);
}

document.querySelector("#create-group").onsubmit = (event) => {
  event.preventDefault();
  enter(groups, call("POST", "/api/groups", { title: event.target.elements.title.value }));
  event.target.reset();
};

// Open the conversation that a call returns, and close the dialog; or show what is wrong.
async function enter(dialog, answer) {
  const error = dialog.querySelector(".error");
  error.textContent = "";
  try {
    const { conversation } = await answer;
    keep(conversation);
    openConversation(conversation.id);
    dialog.close();
  } catch ({ message }) {
    error.textContent = message;
  }
}

// Contacts and the own picture
async function openPrivateChat(id) {
  if (id === me.id) return;
  const { conversation } = await call("POST", `/api/private/${id}`);
  keep(conversation);
  openConversation(conversation.id);
}

document.querySelector("#find-people").onclick = () => people.showModal();

document.querySelector("#add-contact").onsubmit = (event) => {
  event.preventDefault();
  enter(people, call("POST", "/api/contacts", { name: event.target.elements.name.value }));
};

const file = document.querySelector("#picture-file");
const myPicture = document.querySelector("#my-picture");
myPicture.replaceChildren(makeAvatar(me));
myPicture.onclick = () => file.click();
file.onchange = async () => {
  const response = await fetch("/api/me/picture", { method: "PUT", body: file.files[0] });
  const answer = await response.json();
  if (!response.ok) return alert(answer.error.message);
  me.picture = answer.picture;
  myPicture.replaceChildren(makeAvatar(me));
};

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = composer.text.value.trim();
  if (!text || socket.readyState !== WebSocket.OPEN) return; // the text stays in the box
  socket.send(JSON.stringify({ type: "send", conv: current.id, text }));
  composer.reset();
  fitComposer();
  log.scrollTop = log.scrollHeight;
});

// Enter sends, Shift+Enter breaks the line. An Enter that an input method uses does neither.
composer.text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

function fitComposer() {
  composer.text.style.height = "auto";
  composer.text.style.height = `${composer.text.scrollHeight + 2}px`;
}
composer.text.addEventListener("input", fitComposer);

connect();
loadState().then(() => {
  if (matchMedia("(min-width: 701px)").matches) openConversation(1); // a phone shows the list
});
