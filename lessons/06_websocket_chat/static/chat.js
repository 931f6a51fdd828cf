// The page of one room. It reconnects by itself, and shows messages as text, never as markup.
const form = document.querySelector("#chat");
const state = document.querySelector("#state");
const members = document.querySelector("#members");
const log = document.querySelector("#log");
const me = form.dataset.name;
let socket;

const scheme = location.protocol === "https:" ? "wss:" : "ws:"; // wss: if the page came over TLS
const url = `${scheme}//${location.host}${form.dataset.path}`;
let failures = 0;

function connect() {
  socket = new WebSocket(url);
  socket.onopen = () => {
    failures = 0;
    show("open");
  };
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  // # region lost
  socket.onclose = () => {
    show("reconnecting");
    // Wait longer after each failure. At random: else all pages come back at the same moment.
    setTimeout(connect, Math.random() * Math.min(30_000, 500 * 2 ** failures++));
  };
  // # endregion
}

function show(text) {
  state.textContent = text;
  state.dataset.state = text;
}

function receive(frame) {
  if (frame.type === "message") add(frame.from === me ? "mine" : "theirs", frame.text, frame.from);
  if (frame.type === "joined") add("event", `${frame.name} is here`);
  if (frame.type === "left") add("event", `${frame.name} has left`);
  if (frame.type === "error") add("event", frame.reason);
  if (frame.members) members.textContent = `Here: ${frame.members.join(", ")}`;
}

function add(kind, text, from = "") {
  const line = document.createElement("p");
  line.className = kind;
  if (from) line.append(Object.assign(document.createElement("b"), { textContent: from }));
  line.append(text); // a string becomes a text node; innerHTML would run markup that somebody sent
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = form.text.value;
  if (!text.trim() || socket.readyState !== WebSocket.OPEN) return; // the text stays in the box
  socket.send(JSON.stringify({ type: "say", text }));
  form.text.value = "";
});
connect();
