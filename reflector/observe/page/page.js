// The live page: what the reflector tells is kept and painted here. Whatever a peer says of itself
// becomes text and never markup: elements are made by `make`, which only ever sets text. routes.js has
// the table of routes, controls.js the presenter's buttons; looks.js comes last and starts it all.
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

const count = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;

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

function take(content) {
  if (content.summary) {
    // Which clusters are off is written on their boxes.
    if (String(state.summary.disconnected) !== String(content.summary.disconnected)) dirty.add("peers");
    // It moves where somebody has set the reflector's clock.
    if (state.summary.started && state.summary.started !== content.summary.started) loadFlags();
    state.summary = content.summary;
    dirty.add("summary");
  }
  if (content.peers) {
    for (const [key, peer] of Object.entries(content.peers)) {
      if (peer === null) state.peers.delete(key); else state.peers.set(key, peer);
    }
    dirty.add("peers");
  }
  if (content.problems) { state.problems = content.problems; dirty.add("problems"); dirty.add("peers"); }
  if (content.events) { state.events = state.events.concat(content.events).slice(-MAX_EVENTS); dirty.add("events"); }
  paintSoon();
}

let painting = false;
function paintSoon() {
  if (painting) return;
  painting = true;
  // A page that nobody looks at gets no animation frame; it is painted when somebody does.
  requestAnimationFrame(() => {
    painting = false;
    const due = dirty;
    dirty = new Set();
    if (due.has("summary")) paintSummary();
    if (due.has("problems")) paintProblems();
    if (due.has("peers")) { paintClusters(); paintPicture(); }
    if (due.has("events")) paintEvents();
    if (due.has("summary") || due.has("peers")) refreshRoutes();
  });
}

function listen() {
  const source = new EventSource("api/v1/events");
  const live = byId("live");
  source.addEventListener("snapshot", (event) => {
    state.peers.clear();
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
  value.textContent = number.toLocaleString("en");
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

let knownProblems = null;

function paintProblems() {
  const { problems } = state;
  byId("fine").hidden = problems.length > 0;
  setTotal("problem", problems.length);
  byId("total-problems-box").classList.toggle("bad", problems.length > 0);
  document.title = problems.length ? `(${problems.length}) The class on bgp-reflector` : "The class on bgp-reflector";
  const known = new Set();
  byId("problem-list").replaceChildren(...problems.map((problem) => {
    const error = problem.severity === "error";
    const key = problem.kind + problem.what;
    known.add(key);
    const fresh = knownProblems !== null && !knownProblems.has(key);
    const since = make("small", "", "");
    if (problem.since !== null) { since.dataset.since = problem.since; since.dataset.words = "for "; }
    return make("li", `problem ${problem.severity}${fresh ? " fresh" : ""}`,
      make("h3", "", `${error ? "✖ Error" : "▲ Warning"}: ${problem.title}`, since),
      make("p", "what", problem.what),
      make("p", "fix", make("b", "", "Fix"), ...unbroken(problem.fix)));
  }));
  knownProblems = known;
  paintTimes();
}

// Roll call.

let bits = 16;
const tiles = new Map(); // by peer: its element and the view that it shows

function clusterOf(peer) {
  const cidr = (peer.cidrs || []).find((each) => each.includes(".") && !each.includes(":"));
  if (!cidr) return "";
  const [address, length] = cidr.split("/");
  const most = Math.min(bits, Number(length));
  const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const network = number - (number % 2 ** (32 - most));
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".")}/${most}`;
}

function order(network) {
  return network ? network.split(/[./]/).map((part) => part.padStart(3, "0")).join(".") : "~";
}

function gather() {
  const grouped = new Map();
  for (const [key, peer] of state.peers) {
    const network = clusterOf(peer);
    if (!grouped.has(network)) grouped.set(network, []);
    grouped.get(network).push([key, peer]);
  }
  return [...grouped].sort((a, b) => (order(a[0]) < order(b[0]) ? -1 : 1));
}

const label = (peer) => peer.name || peer.address;
const isUp = (peer) => peer.state === "Established";

function tileOf(key, peer, fresh) {
  const known = tiles.get(key);
  if (known && known.peer === peer) return known.element;
  const kind = isUp(peer) ? "up" : peer.state === "Left" ? "left" : "waiting";
  const words = { up: "● up", left: "✖ left", waiting: `◐ ${peer.state}` }[kind];
  const since = make("span", "");
  if (peer.since) { since.dataset.since = peer.since; since.dataset.words = kind === "left" ? " · ago: " : " · for "; }
  const stateBox = make("span", "state", words);
  const facts = make("div", "facts", make("b", "", peer.address));
  if (kind === "up") {
    for (const cidr of peer.cidrs || []) facts.append(" · ", make("b", "", cidr));
    const rest = peer.routes_in - (peer.cidrs || []).length;
    facts.append(make("br"), `${count(peer.routes_in, "route")} in${rest > 0 && peer.cidrs.length ? ` (${rest} more)` : ""}, ${peer.routes_out.toLocaleString("en")} out`);
    if (peer.rejected) facts.append(", ", make("span", "flag", `${peer.rejected} rejected`));
  } else if (kind === "left") {
    facts.append(` · ${peer.reason}`);
  }
  facts.append(since);
  if (peer.software) facts.append(` · ${peer.software}`);
  facts.append(...dropButton(peer));
  const name = make("button", "name", label(peer));
  name.type = "button";
  name.title = "Its messages, one by one";
  const element = make("li", `node ${kind}${fresh ? " fresh" : ""}`, name, stateBox, facts);
  element.dataset.address = peer.address;
  tiles.set(key, { peer, element });
  return element;
}

const clusterBoxes = new Map();
let painted = false;

/** Where the keyboard is among the tiles: a tile that is made anew is to have it again. */
function focusedTile() {
  const active = document.activeElement || document.body;
  const element = active.closest(".node");
  const [key] = [...tiles].find(([, tile]) => tile.element === element) || [];
  return { key, element, control: active.classList.contains("control") };
}

function focusAgain({ key, element, control }) {
  const tile = tiles.get(key);
  if (!tile || tile.element === element) return;
  ((control && tile.element.querySelector(".control")) || tile.element.querySelector(".name")).focus({ preventScroll: true });
}

function paintClusters() {
  const groups = gather();
  const focused = focusedTile();
  const troubled = new Set(state.problems.flatMap((problem) => problem.peers));
  const boxes = groups.map(([network, peers]) => {
    let box = clusterBoxes.get(network);
    if (!box) {
      box = { title: make("h3", ""), list: make("ul", ""), name: make("b", ""), count: make("span", ""), button: clusterButton(network) };
      box.title.append(box.name, box.count, ...(box.button ? [box.button] : []));
      box.element = make("article", "cluster", box.title, box.list);
      clusterBoxes.set(network, box);
    }
    const up = peers.filter(([, peer]) => isUp(peer)).length;
    box.name.textContent = `${network || "no pod CIDR yet"}${isOff(network) ? " ✂ disconnected" : ""}`;
    box.count.textContent = up === peers.length ? count(up, "node") : `${up} of ${count(peers.length, "node")}`;
    labelClusterButton(box.button, network);
    peers.sort(([, a], [, b]) => label(a).localeCompare(label(b), "en", { numeric: true }) || (a.address < b.address ? -1 : 1));
    setChildren(box.list, peers.map(([key, peer]) => tileOf(key, peer, painted && !tiles.has(key))));
    for (const [key, peer] of peers) tiles.get(key).element.classList.toggle("trouble", troubled.has(peer.address));
    box.element.classList.toggle("alarm", peers.some(([, peer]) => troubled.has(peer.address)));
    return box.element;
  });
  setChildren(byId("clusters"), boxes);
  focusAgain(focused);
  for (const key of tiles.keys()) if (!state.peers.has(key)) tiles.delete(key);
  const networks = new Set(groups.map(([network]) => network));
  for (const network of clusterBoxes.keys()) if (!networks.has(network)) clusterBoxes.delete(network);
  byId("nobody").hidden = state.peers.size > 0;
  const upNow = [...state.peers.values()].filter(isUp);
  setTotal("node", upNow.length);
  setTotal("cluster", new Set(upNow.map(clusterOf).filter(Boolean)).size);
  painted = true;
  paintTimes();
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

function paintTimes() {
  const now = Date.now() / 1000 + clockOffset;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = element.dataset.words.replace(" · ago: ", " · ") + span(now - Number(element.dataset.since));
    const whole = element.dataset.words.includes("ago") ? `${text} ago` : text;
    if (element.textContent !== whole) element.textContent = whole;
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
  const troubled = new Set(state.problems.flatMap((problem) => problem.peers));
  const groups = gather().filter(([network]) => network).map(([network, peers]) => {
    const up = peers.filter(([, peer]) => isUp(peer)).length;
    return { network, up, alarm: !up || peers.some(([, peer]) => troubled.has(peer.address)) };
  });
  const shown = groups.slice(0, MAX_IN_PICTURE);
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
  const others = groups.slice(MAX_IN_PICTURE);
  const alarmed = others.filter(({ alarm }) => alarm).length;
  if (others.length) parts.push(draw("text", { x: 240, y: 396, class: "count" }, `and ${others.length} more${alarmed ? `, ${alarmed} with a problem` : ""}`));
  byId("picture-content").replaceChildren(...parts);
  byId("picture-text").textContent = groups.length
    ? groups.map(({ network, up, alarm }) => `${network}: ${count(up, "node")} up${alarm ? ", with a problem" : ""}`).join("; ")
    : "No cluster is connected.";
}

// The timeline.

function paintEvents() {
  byId("events").replaceChildren(...state.events.slice().reverse().map((event) => {
    const time = make("time", "", new Date(event.at * 1000).toLocaleTimeString("en-GB"));
    time.dateTime = new Date(event.at * 1000).toISOString();
    const mark = { warning: "▲ ", error: "✖ " }[event.level] || "";
    return make("li", event.level, time, make("span", "", make("b", "", mark), ...unbroken(event.message)));
  }));
}
