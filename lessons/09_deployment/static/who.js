// Twenty answers counted by process, and a socket that comes back when its process is restarted.
const bars = document.querySelector("#bars");
const asked = document.querySelector("#asked");
const form = document.querySelector("#console");
const state = document.querySelector("#state");
const log = document.querySelector("#log");
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const answers = new Map();
let socket;
let failures = 0;

function draw() {
  const most = Math.max(...answers.values());
  bars.replaceChildren(
    ...[...answers].map(([process, count]) => {
      const bar = document.createElement("li");
      bar.textContent = `process ${process}: ${count}`;
      bar.style.setProperty("--share", count / most);
      return bar;
    }),
  );
}

document.querySelector("#ask").onclick = async () => {
  answers.clear();
  let lost = 0;
  for (let i = 0; i < 20; i++) {
    try {
      const { process } = await (await fetch("/who", { cache: "no-store" })).json();
      answers.set(process, (answers.get(process) ?? 0) + 1);
    } catch {
      lost++;
    }
  }
  asked.textContent = `${20 - lost} answered by ${answers.size}, ${lost} lost`;
  draw();
};

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
  socket = new WebSocket(`${scheme}//${location.host}${form.dataset.path}`);
  show("connecting");
  socket.onopen = () => {
    failures = 0;
    show("open");
  };
  socket.onmessage = ({ data }) => note("in", data);
  socket.onclose = ({ code, reason }) => {
    show("reconnecting");
    note("event", `closed: ${code} ${reason}`);
    setTimeout(connect, Math.random() * Math.min(30_000, 500 * 2 ** failures++));
  };
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return note("event", "not connected: nothing was sent");
  socket.send(form.text.value);
  note("out", form.text.value);
});
connect();
