// The live page: what the reflector tells is kept and painted here. Whatever a peer says of itself
// becomes text and never markup: elements are made by `make`, which only ever sets text. roll.js has
// the tiles of the nodes, routes.js the table of routes, controls.js the presenter's buttons; looks.js comes
// last and starts it all.
"use strict";

const MAX_EVENTS = 200;
const MAX_IN_PICTURE = 16;
const MAX_WIDE = 8; // clusters whose names fit above and below them

const byId = (id) => document.getElementById(id);

/** Make an element with a class, and with texts and elements in it. */
function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

/** Text in which flags, names and their values are not torn apart at their hyphens. */
function unbroken(text) {
  return text.split(/(\s+)/).map((word) => (word.includes("-") ? make("span", "flag-word", word) : word));
}

function draw(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const inEnglish = new Intl.NumberFormat("en");
const count = (number, one) => `${inEnglish.format(number)} ${one}${number === 1 ? "" : "s"}`;

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

// What the reflector has told us.

const state = { summary: {}, peers: new Map(), problems: [], events: [] };
let clockOffset = 0; // the reflector's clock less this machine's, in seconds
let dirty = new Set();
let changed = new Set(); // peers that are shown, by key, and of which something differs

function take(content) {
  if (content.summary) {
    // Which clusters are off is written on their boxes.
    if (String(state.summary.disconnected) !== String(content.summary.disconnected)) dirty.add("peers");
    // It moves where somebody has set the reflector's clock.
    if (state.summary.started && state.summary.started !== content.summary.started) loadFlags();
    state.summary = content.summary;
    dirty.add("summary");
  }
  takePeers(content.peers || {}, content.fields || {}, content.routes_out_by || 0);
  if (content.problems) { state.problems = content.problems; dirty.add("problems"); }
  if (content.events) { state.events = state.events.concat(content.events).slice(-MAX_EVENTS); dirty.add("events"); }
  paintSoon();
}

/** Take in who is new, whole or gone, what differs of others, and by how much all others are told of more. */
function takePeers(whole, fields, shift) {
  for (const [key, peer] of Object.entries(whole)) {
    if (peer === null) state.peers.delete(key); else state.peers.set(key, peer);
    dirty.add("peers");
  }
  for (const [key, different] of Object.entries(fields)) {
    state.peers.set(key, { ...state.peers.get(key), ...different });
    changed.add(key);
  }
  if (!shift) return;
  for (const [key, peer] of state.peers) {
    if (peer.routes_out === undefined || key in whole || "routes_out" in (fields[key] || {})) continue;
    peer.routes_out += shift;
    changed.add(key);
  }
}

let painting = false;
function paintSoon() {
  if (painting) return;
  painting = true;
  // A page that nobody looks at gets no animation frame; it is painted when somebody does.
  requestAnimationFrame(() => {
    painting = false;
    const [due, some] = [dirty, changed];
    [dirty, changed] = [new Set(), new Set()];
    if (due.has("summary")) paintSummary();
    if (due.has("problems")) paintProblems();
    // All of them only where somebody came, went or moved; else the tiles that differ.
    if (due.has("peers") || !repaintTiles(some)) { paintClusters(); due.add("peers"); }
    if (due.has("peers") || due.has("problems")) { paintTrouble(); paintPicture(); }
    if (due.has("events")) paintEvents();
    if (due.has("summary") || due.has("peers")) refreshRoutes();
  });
}

function listen() {
  const source = new EventSource("api/v1/events?delta=fields");
  const live = byId("live");
  source.addEventListener("snapshot", (event) => {
    state.peers.clear();
    dirty.add("peers");
    state.events = [];
    take(JSON.parse(event.data));
  });
  source.addEventListener("delta", (event) => take(JSON.parse(event.data)));
  source.onopen = () => { live.textContent = "● live"; live.classList.remove("off"); loadFlags(); loadControls(); };
  source.onerror = () => { live.textContent = "○ no connection"; live.classList.add("off"); };
  addEventListener("pagehide", () => source.close());
}

// Header and flags.

/** Set a number of the header and the word for what it counts. */
function setTotal(one, number) {
  const value = byId(`total-${one}s`);
  value.textContent = inEnglish.format(number);
  value.previousElementSibling.textContent = number === 1 ? one : `${one}s`;
}

function paintSummary() {
  const { asn, router_id: routerId, version, routes } = state.summary;
  byId("identity").textContent = `AS ${asn} · ${routerId} · v${version}`;
  const prefixes = Object.values(routes).reduce((sum, family) => sum + family.prefixes, 0);
  setTotal("route", prefixes);
  paintBanner();
}

async function loadFlags() {
  const response = await fetch("api/v1/flags");
  clockOffset = (Date.parse(response.headers.get("Date")) || Date.now()) / 1000 - Date.now() / 1000;
  if (Math.abs(clockOffset) < 2) clockOffset = 0;
  const answer = await response.json();
  const [first, ...others] = answer.flags;
  byId("flags").replaceChildren(...unbroken(first ? first.flags : "no address"));
  byId("restart").replaceChildren(...unbroken(answer.restart));
  const list = byId("others");
  list.hidden = others.length === 0;
  list.replaceChildren("or, where nodes reach another address: ", ...others.slice(0, 6).map((each) => {
    const button = make("button", "", each.address);
    button.type = "button";
    button.addEventListener("click", () => byId("flags").replaceChildren(...unbroken(each.flags)));
    return button;
  }));
}

async function copy(button) {
  const code = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Browsers give the clipboard to secure pages alone; selecting works everywhere.
    const selection = getSelection();
    selection.selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "✓ Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// Problems.

const problemItems = new Map(); // by problem: its element and the texts that may change
let problemsPainted = false;

/** The element of a problem, made once: while it stays, its texts change in place. */
function problemItem(problem) {
  const words = `${problem.severity === "error" ? "✖ Error" : "▲ Warning"}: ${problem.title}`;
  const key = JSON.stringify([problem.kind, problem.peers, problem.subject]);
  let item = problemItems.get(key);
  if (!item) {
    item = { title: make("span", ""), since: make("small", ""), what: make("p", "what"), fix: make("p", "fix") };
    item.element = make("li", `problem ${problem.severity}${problemsPainted ? " fresh" : ""}`,
      make("h3", "", item.title, item.since), item.what, item.fix);
    problemItems.set(key, item);
  }
  setText(item.title, words);
  setText(item.what, problem.what);
  if (item.fixed !== problem.fix) item.fix.replaceChildren(make("b", "", "Fix"), ...unbroken(problem.fix));
  item.fixed = problem.fix;
  if (problem.since !== null) { item.since.dataset.since = problem.since; item.since.dataset.words = "for "; }
  return [key, item.element];
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function paintProblems() {
  const { problems } = state;
  const before = new Set(problemItems.keys());
  const items = new Map(problems.map(problemItem));
  for (const key of before) if (!items.has(key)) problemItems.delete(key);
  setChildren(byId("problem-list"), [...items.values()]);
  byId("fine").hidden = problems.length > 0;
  setTotal("problem", problems.length);
  byId("total-problems-box").classList.toggle("bad", problems.length > 0);
  document.title = problems.length ? `(${problems.length}) The class on bgp-reflector` : "The class on bgp-reflector";
  tellProblems([...items].filter(([key]) => !before.has(key)).map(([, element]) => element), before.size);
  problemsPainted = true;
  paintTimes(byId("problem-list"));
}

/** Tell who listens to a screen reader what is new, once: not how long it lasts nor how often it is seen. */
function tellProblems(fresh, before) {
  const news = byId("problem-news");
  if (!problemsPainted) setText(news, problemItems.size ? `${count(problemItems.size, "problem")}.` : "");
  else if (fresh.length) {
    setText(news, fresh.map((each) => `${each.querySelector("h3 span").textContent}. ${each.querySelector(".what").textContent}`).join(" "));
  } else if (before && !problemItems.size) setText(news, "Nothing is wrong any more.");
}

/** Make an element's children these, and touch only what differs: a class of a thousand is long. */
function setChildren(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling; else parent.insertBefore(child, at);
  }
}

function paintTimes(within = document) {
  const now = Date.now() / 1000 + clockOffset;
  for (const element of within.querySelectorAll("[data-since]")) {
    const text = element.dataset.words.replace(" · ago: ", " · ") + span(now - Number(element.dataset.since));
    setText(element, element.dataset.words.includes("ago") ? `${text} ago` : text);
  }
}

// The picture.

/** Where a cluster stands in the picture, and its name beside it, so that no name is covered by a neighbour. */
function placed(index, among) {
  const angle = (2 * Math.PI * index) / among - Math.PI / 2 + (among === 2 ? Math.PI / 2 : 0);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  if (among <= MAX_WIDE) {
    const [x, y] = [240 + 175 * cos, 200 + 145 * sin];
    const name = { x: Math.min(Math.max(x, 68), 412), y: y + (sin > 0.01 ? 41 : -29), class: "net" };
    return { x, y, half: 21, name };
  }
  // A narrow ring: names go out to both sides, and above and below it.
  const [x, y, half] = [240 + 105 * cos, 192 + 150 * sin, 15];
  const side = Math.abs(cos) < 0.01 ? 0 : Math.sign(cos);
  const name = { x: x + side * 21, y: side ? y + 5 : y + (sin > 0 ? 31 : -22), class: ["left", "", "right"][side + 1] };
  return { x, y, half, name: { ...name, class: `count ${name.class}` } };
}

function paintPicture() {
  const troubled = troubledNow();
  const groups = gather().filter(([network]) => network).map(([network, peers]) => {
    const up = peers.filter(([, peer]) => isUp(peer)).length;
    return { network, up, alarm: !up || peers.some(([, peer]) => troubled.has(peer.address)) };
  });
  // Where not all have room, those with a problem do first.
  const first = new Set([...groups.filter(({ alarm }) => alarm), ...groups.filter(({ alarm }) => !alarm)].slice(0, MAX_IN_PICTURE));
  const shown = groups.filter((each) => first.has(each));
  const hub = { cx: 240, cy: shown.length > MAX_WIDE ? 192 : 200, r: 44 };
  const parts = [];
  shown.forEach(({ network, up, alarm }, index) => {
    const { x, y, half, name } = placed(index, shown.length);
    parts.unshift(draw("line", { x1: hub.cx, y1: hub.cy, x2: x, y2: y, class: up && !isOff(network) ? "" : "down" }));
    parts.push(
      alarm ? draw("rect", { x: x - half, y: y - half, width: 2 * half, height: 2 * half, class: "alarm" })
        : draw("circle", { cx: x, cy: y, r: half }),
      draw("text", { x, y: y + 5, class: "net" }, up),
      draw("text", name, network));
  });
  parts.push(draw("circle", { ...hub, class: "hub" }), draw("text", { x: hub.cx, y: hub.cy + 6, class: "hub-text" }, "reflector"));
  const others = groups.filter((each) => !first.has(each));
  const alarmed = others.filter(({ alarm }) => alarm).length;
  if (others.length) parts.push(draw("text", { x: 240, y: 396, class: "count" }, `and ${others.length} more${alarmed ? `, ${alarmed} with a problem` : ""}`));
  byId("picture-content").replaceChildren(...parts);
  byId("picture-text").textContent = groups.length
    ? groups.map(({ network, up, alarm }) => `${network}: ${count(up, "node")} up${alarm ? ", with a problem" : ""}`).join("; ")
    : "No cluster is connected.";
}

// The timeline.

const eventRows = new WeakMap();

function eventRow(event) {
  if (!eventRows.has(event)) {
    const time = make("time", "", new Date(event.at * 1000).toLocaleTimeString("en-GB"));
    time.dateTime = new Date(event.at * 1000).toISOString();
    const mark = { warning: "▲ ", error: "✖ " }[event.level] || "";
    eventRows.set(event, make("li", event.level, time, make("span", "", make("b", "", mark), ...unbroken(event.message))));
  }
  return eventRows.get(event);
}

function paintEvents() {
  setChildren(byId("events"), state.events.slice().reverse().map(eventRow));
}
