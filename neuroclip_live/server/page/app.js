"use strict";
// The page pulls nothing but this server's own interface; see /api. Each part reconnects by itself.

const $ = (id) => document.getElementById(id);
const socketAt = (path) => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
const percent = (share) => `${Math.round(share * 100)} %`;

let prompts = [];      // as the server has them, "-" before a negative
let newest = null;     // the newest prediction
let bitmap = null;     // the newest picture, not drawn yet
let across = 240;      // pixels of the whole picture, as boxes count them
let refused = false;   // the program is there, and asks for another token
let drawing = false;

function say(text) { $("said").textContent = text; }

async function ask(path, method = "GET", body = undefined) {
  const options = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Error("the program does not answer"); }
  const value = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
  if (!answer.ok) throw Object.assign(new Error(value.error || `status ${answer.status}`), { status: answer.status });
  return value;
}

// ---- connections that come back by themselves

function stay(path, { binary = false, opened = () => {}, message, lost = () => {} }) {
  let wait = 250;
  const connect = () => {
    const socket = socketAt(path);
    if (binary) socket.binaryType = "blob";
    socket.onopen = () => { wait = 250; opened(); };
    socket.onmessage = (event) => message(event.data);
    socket.onclose = () => { lost(); setTimeout(connect, wait); wait = Math.min(wait * 2, 4000); };
  };
  connect();
}

stay("/api/v1/live", {
  opened() { link("live", "live"); readPrompts(); },
  lost() { away(); newest = null; redraw(); },
  message(text) {
    const line = JSON.parse(text);
    if (line.type === "header") { across = line.resolution[line.events.turn % 180 ? 1 : 0]; readPrompts(); }
    if (line.type === "prediction") { newest = line; redraw(); }
  },
});

stay("/api/v1/frames?fps=30", {
  binary: true,
  async message(blob) {
    const made = await createImageBitmap(blob);
    if (bitmap) bitmap.close();
    bitmap = made;
    redraw();
  },
});

function away() {
  link("lost", refused ? "The program asks for another token: open the address that it shows."
    : "The program is away. This page goes on when it is back.");
}

function link(state, text) { $("link").dataset.state = state; $("link").textContent = text; }

// ---- drawing: at most once a frame of the screen

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; picture(); answer(); bars(); });
}

function picture() {
  if (!bitmap) return;
  const canvas = $("picture"), context = canvas.getContext("2d");
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width; canvas.height = bitmap.height;
  }
  context.drawImage(bitmap, 0, 0);
  const scale = bitmap.width / across;
  const size = Math.max(9, canvas.width / 26);
  context.lineWidth = Math.max(1, canvas.width / 240);
  context.font = `600 ${size}px system-ui, sans-serif`;
  for (const thing of (newest && newest.objects) || []) {
    const [left, top, right, bottom] = thing.box.map((v) => v * scale);
    const color = thing.state === "seen" ? "#1c7d43" : "#6b7480";
    context.strokeStyle = color;
    context.strokeRect(left, top, right - left, bottom - top);
    if (!thing.label) continue;
    const text = `${thing.label} ${percent(thing.probability)}`;
    context.fillStyle = color;
    const above = top >= size * 1.3 ? top - size * 1.3 : top;
    context.fillRect(left, above, context.measureText(text).width + size * 0.4, size * 1.3);
    context.fillStyle = "#ffffff";
    context.fillText(text, left + size * 0.2, above + size);
  }
}

const SAID = { "no-motion": "No motion", unsure: "Not sure", none: "None of these" };
let shown = "";
function answer() {
  let label = "…", sure = "";
  const said = newest && newest.decision;  // steadied over time, as the window and the table show it
  if (said) {
    if (said.kind === "label") { label = said.label; sure = percent(said.probability); }
    else label = SAID[said.kind] || "…";
  }
  $("answer").classList.toggle("quiet", !(said && said.kind === "label"));
  if (label !== shown) { $("label").textContent = label; shown = label; }  // read aloud when it changes, not always
  $("sure").textContent = sure;
}

function bars() {
  const scores = (newest && newest.state !== "no-motion" && newest.scores) || {};
  for (const row of $("list").children) {
    const share = scores[row.dataset.label];
    row.querySelector(".fill").style.transform = `scaleX(${share || 0})`;
    row.querySelector(".share").textContent = share === undefined ? "" : percent(share);
    row.classList.toggle("best", Boolean(newest) && newest.decision.kind === "label" && newest.decision.label === row.dataset.label);
  }
  const known = new Set(prompts.map(plain));
  if (Object.keys(scores).some((label) => !known.has(label) && label !== "none of these")) readPrompts();
}

// ---- words

const plain = (text) => text.replace(/^-/, "");
let reading = false, again = false;

async function readPrompts() {
  again = reading;  // they changed once more: what is being read may be old
  if (reading) return;
  reading = true;
  try { show(await ask("/api/v1/prompts")); } catch { /* asked again with the next prediction */ }
  setTimeout(() => { reading = false; if (again) readPrompts(); }, 300);
}

function show(wanted) {
  if (JSON.stringify(wanted) === JSON.stringify(prompts) && $("list").children.length) return;
  prompts = wanted;
  const focused = document.activeElement, place = [...$("list").children].indexOf(focused && focused.closest("li"));
  $("list").replaceChildren(...prompts.map(row));
  if (place >= 0) {  // who works with the keyboard stays where they were, or at the word that took its place
    const rows = [...$("list").children], same = rows.find((each) => each.dataset.label === focused.dataset.of);
    const to = same || rows[Math.min(place, rows.length - 1)];
    (to ? to.querySelector(`[data-does=${focused.dataset.does}]`) : $("word")).focus();
  }
  bars();
}

function row(prompt) {
  const label = plain(prompt), item = document.createElement("li");
  item.dataset.label = label;
  item.classList.toggle("negative", prompt.startsWith("-"));
  const name = element("span", "name", prompt.startsWith("-") ? `− ${label}` : label);
  const teach = element("button", "", "Teach");
  teach.setAttribute("aria-label", `Teach: the last two seconds showed ${label}`);
  teach.title = "The last two seconds showed this";
  teach.onclick = () => learn(label);
  const remove = element("button", "", "✕");
  remove.setAttribute("aria-label", `Remove ${label}`);
  remove.onclick = () => change(prompts.filter((other) => other !== prompt));
  for (const [button, does] of [[teach, "teach"], [remove, "remove"]]) {
    button.type = "button"; button.dataset.does = does; button.dataset.of = label;
  }
  const track = element("div", "track", "");
  track.append(element("div", "fill", ""));
  item.append(name, element("span", "share", ""), teach, remove, track);
  return item;
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

async function change(wanted) {
  try { show(await ask("/api/v1/prompts", "PUT", wanted)); say(""); return true; }
  catch (error) { say(error.message); return false; }
}

async function learn(label) {
  try {
    const { windows } = await ask("/api/v1/teach", "POST", { label, seconds: 2 });
    say(`Taught ${label} with ${windows} windows.`);
  } catch (error) { say(error.message); }
}

$("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = $("word").value.split(/[,;\n]/).map((text) => text.trim()).filter(Boolean);
  if (!typed.length) return;
  const known = new Set(typed.map((text) => plain(text).toLowerCase()));
  const others = prompts.filter((prompt) => !known.has(plain(prompt).toLowerCase()));
  if (await change([...others, ...typed])) $("word").value = "";
});

// ---- health

const LOSSES = new Set(["Events dropped", "Messages lost"]);

async function health() {
  try {
    const status = await ask("/api/v1/status");
    const total = (status.latency_ms || {}).total;
    const figures = {
      "Source": status.source, "Model": status.model && `${status.model} (${status.runtime}, ${status.device})`,
      "Events": status.event_rate_hz === undefined ? "" : `${Math.round(status.event_rate_hz).toLocaleString("en")} /s`,
      "Predictions": status.prediction_rate_hz === undefined ? "" : `${status.prediction_rate_hz.toFixed(0)} /s`,
      "Latency p50 / p99": total ? `${total.p50.toFixed(0)} / ${total.p99.toFixed(0)} ms` : "",
      "Events dropped": status.dropped_events, "Windows skipped": status.skipped_windows,
      "Browsers and programs": status.clients, "Messages lost": status.lost_messages,
    };
    $("figures").replaceChildren(...Object.entries(figures).filter(([, value]) => value !== undefined && value !== "")
      .flatMap(([name, value]) => [element("dt", "", name), element("dd", LOSSES.has(name) && value ? "loss" : "", String(value))]));
    refused = false;
    if ($("link").dataset.state !== "lost") link("live", status.message || "live");
  } catch (error) {
    refused = error.status === 401;
    if ($("link").dataset.state === "lost") away();
  }
  setTimeout(health, 1000);
}
health();
