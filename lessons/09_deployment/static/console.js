// Opens the socket of the page's script and shows each message that it sends and receives.
const form = document.querySelector("#console");
const state = document.querySelector("#state");
const log = document.querySelector("#log");
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
let socket;

function note(kind, text) {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

function show(text) {
  state.textContent = text;
  state.dataset.state = text;
}

function connect() {
  const mine = (socket = new WebSocket(`${scheme}//${location.host}${form.dataset.path}`));
  mine.binaryType = "arraybuffer";
  show("connecting");
  mine.onopen = () => {
    show("open");
    note("event", "open");
  };
  mine.onmessage = ({ data }) =>
    note("in", typeof data === "string" ? data : `bytes: ${new Uint8Array(data).join(" ")}`);
  mine.onclose = ({ code, reason }) => {
    if (mine === socket) show("closed");
    note("event", `closed: ${code} ${reason}`);
  };
}

function send(data, shown) {
  if (socket.readyState !== WebSocket.OPEN) return note("event", "not connected: nothing was sent");
  socket.send(data);
  note("out", shown);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(form.text.value, form.text.value);
});
document.querySelector("#bytes").onclick = () => {
  const bytes = new TextEncoder().encode(form.text.value);
  send(bytes, `bytes: ${bytes.join(" ")}`);
};
document.querySelector("#close").onclick = () => socket.close(1000, "the page wanted to");
document.querySelector("#connect").onclick = () => {
  if (socket.readyState === WebSocket.CLOSED) connect();
};
for (const button of document.querySelectorAll("#examples button"))
  button.onclick = () => send((form.text.value = button.textContent), button.textContent);
connect();
