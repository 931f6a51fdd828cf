// The page of the chat. What people write becomes text nodes, never markup.
const page = document.querySelector("#chat");
const me = JSON.parse(page.dataset.user);
const log = document.querySelector("#log");
const composer = document.querySelector("#composer");
const state = document.querySelector("#state");
const LOBBY = 1; // the conversation in which all users are members
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

// A circle with the first letter of a name; its colour depends on the name.
function makeAvatar(user) {
  const letter = [...user.nickname][0].toUpperCase();
  const avatar = make("span", { className: "avatar", ariaHidden: "true" }, letter);
  const sum = [...user.nickname].reduce((total, each) => total * 31 + each.codePointAt(0), 7);
  avatar.style.setProperty("--hue", sum % 360);
  return avatar;
}

function makeRow(message) {
  const mine = message.from.id === me.id;
  const at = new Date(message.at);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const bubble = make("div", { className: "bubble" },
    make("b", {}, message.from.nickname),
    make("p", {}, message.text),
    make("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, time));
  return make("div", { className: mine ? "mine" : "theirs" }, makeAvatar(message.from), bubble);
}

function showMessage(message) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(makeRow(message));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function send(text) {
  socket.send(JSON.stringify({ type: "send", conv: LOBBY, text }));
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = composer.text.value.trim();
  if (!text || socket.readyState !== WebSocket.OPEN) return; // the text stays in the box
  send(text);
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

async function loadHistory() {
  const { events } = await call("GET", `/api/conversations/${LOBBY}/events`);
  log.append(...events.map(makeRow));
  log.scrollTop = log.scrollHeight;
}

loadHistory().then(connect);
