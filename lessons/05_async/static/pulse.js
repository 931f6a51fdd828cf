// Ask /ping, wait a tenth of a second, ask again; draw when each was asked and how long it waited.
const PAUSE = 100; // milliseconds
const LATE = 300; // milliseconds from which a ping counts as kept waiting
const SHOWN = 12_000; // milliseconds that fit on the time line
const FULL = 2_000; // milliseconds of waiting that make a bar of full height

const canvas = document.querySelector("#pulse");
let pings = []; // {asked, waited}; waited is missing while the answer is
let answered = 0;
let longest = 0;

async function beat() {
  const ping = { asked: performance.now() };
  pings.push(ping);
  try {
    await (await fetch("/ping")).text();
  } catch {
    log("No answer from /ping: has the server stopped?");
    return;
  }
  ping.waited = performance.now() - ping.asked;
  answered += 1;
  longest = Math.max(longest, ping.waited);
  document.querySelector("#longest").textContent = `longest wait: ${Math.round(longest)} ms`;
  setTimeout(beat, PAUSE);
}

function draw() {
  const now = performance.now();
  const colours = getComputedStyle(canvas);
  const pen = canvas.getContext("2d");
  canvas.width = canvas.clientWidth; // also wipes it
  pings = pings.filter((ping) => now - ping.asked < SHOWN + 60_000);
  for (const { asked, waited = now - asked } of pings) {
    const left = canvas.width * (1 - (now - asked) / SHOWN);
    const width = Math.max(4, (canvas.width * waited) / SHOWN);
    const height = Math.max(6, canvas.height * Math.min(1, waited / FULL));
    pen.fillStyle = colours.getPropertyValue(waited < LATE ? "--calm" : "--late");
    pen.fillRect(left, canvas.height - height, width, height);
  }
  requestAnimationFrame(draw);
}

function log(text) {
  const line = document.createElement("li");
  line.textContent = text;
  document.querySelector("#log").prepend(line);
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", async () => {
    const path = button.dataset.path;
    const before = answered;
    button.disabled = true;
    const answer = await fetch(path).then((response) => response.text(), () => "no answer");
    button.disabled = false;
    log(`${path}: ${answer.trim()}. Meanwhile ${answered - before} pings were answered.`);
  });
}

beat();
draw();
