// The roll call: a tile for each node, in the box of its cluster. Of a thousand nodes a few change at a
// time, so that a change touches their tiles and no others.
"use strict";

let bits = 16;
const tiles = new Map(); // by peer: its element, the view that it shows, and what to compare that by

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

/** What decides where a tile stands and how its cluster is counted. */
const placeOf = (peer) => `${clusterOf(peer)} ${isUp(peer)} ${label(peer)}`;

const routesIn = (peer) => {
  const rest = peer.routes_in - (peer.cidrs || []).length;
  return `${count(peer.routes_in, "route")} in${rest > 0 && peer.cidrs.length ? ` (${rest} more)` : ""}`;
};

/** Set a tile's numbers, and touch only those that differ. */
function paintCounts({ counts }, peer) {
  if (!counts) return;
  const numbers = `${routesIn(peer)}, ${inEnglish.format(peer.routes_out)} out`;
  if (counts.numbers.data !== numbers) counts.numbers.data = numbers;
  const rejected = peer.rejected ? ` · ${peer.rejected} rejected` : "";
  if (counts.rejected.data !== rejected) counts.rejected.data = rejected;
}

/** All of a tile but its numbers and its place, as a text to compare by. */
function looksOf(peer) {
  return JSON.stringify([peer.name, peer.address, peer.state, peer.since, peer.cidrs, peer.reason, peer.software]);
}

function tileOf(key, peer, fresh) {
  const known = tiles.get(key);
  const place = placeOf(peer);
  // Of a view that is still the same one only the numbers may differ.
  const looks = known && known.peer === peer ? known.looks : looksOf(peer);
  if (known && known.looks === looks) {
    Object.assign(known, { peer, place });
    paintCounts(known, peer);
    return known.element;
  }
  const tile = makeTile(peer, fresh);
  tiles.set(key, { ...tile, peer, place, looks });
  paintCounts(tile, peer);
  paintTimes(tile.element);
  return tile.element;
}

function makeTile(peer, fresh) {
  const kind = isUp(peer) ? "up" : peer.state === "Left" ? "left" : "waiting";
  const words = { up: "● up", left: "✖ left", waiting: `◐ ${peer.state}` }[kind];
  const since = make("span", "");
  if (peer.since) { since.dataset.since = peer.since; since.dataset.words = kind === "left" ? " · ago: " : " · for "; }
  const stateBox = make("span", "state", words);
  const facts = make("div", "facts", make("b", "", peer.address));
  let counts = null;
  if (kind === "up") {
    for (const cidr of peer.cidrs || []) facts.append(" · ", make("b", "", cidr));
    counts = { numbers: new Text(), rejected: new Text() };
    facts.append(make("br"), counts.numbers, make("span", "flag", counts.rejected));
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
  return { element, counts };
}

const byName = new Intl.Collator("en", { numeric: true });
const clusterBoxes = new Map();
let painted = false;

/** Where the keyboard is among the tiles: a tile that is made anew is to have it again. */
function focusedTile() {
  const active = document.activeElement || document.body;
  const element = active.closest(".node");
  if (!element) return {};
  const [key] = [...tiles].find(([, tile]) => tile.element === element) || [];
  return { key, element, control: active.classList.contains("control") };
}

function focusAgain({ key, element, control }) {
  const tile = tiles.get(key);
  if (!tile || tile.element === element) return;
  ((control && tile.element.querySelector(".control")) || tile.element.querySelector(".name")).focus({ preventScroll: true });
}

/** Paint the tiles of some peers where they stand; false, and nothing is painted, if one belongs elsewhere. */
function repaintTiles(keys) {
  const due = [...keys].map((key) => [key, tiles.get(key), state.peers.get(key)]);
  if (due.some(([, tile, peer]) => !tile || !peer || tile.place !== placeOf(peer))) return false;
  const focused = focusedTile();
  for (const [key, { element: before }, peer] of due) {
    const element = tileOf(key, peer, false);
    if (element === before) continue;
    element.classList.toggle("trouble", before.classList.contains("trouble"));
    before.replaceWith(element);
  }
  focusAgain(focused);
  return true;
}

function paintClusters() {
  const groups = gather();
  const focused = focusedTile();
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
    peers.sort(([, a], [, b]) => byName.compare(label(a), label(b)) || (a.address < b.address ? -1 : 1));
    setChildren(box.list, peers.map(([key, peer]) => tileOf(key, peer, painted && !tiles.has(key))));
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
}

const troubledNow = () => new Set(state.problems.flatMap((problem) => problem.peers));

/** Mark the nodes that have a problem, and their clusters. */
function paintTrouble() {
  const troubled = troubledNow();
  const alarmed = new Set();
  for (const [key, { element }] of tiles) {
    const wrong = troubled.has(state.peers.get(key).address);
    element.classList.toggle("trouble", wrong);
    if (wrong) alarmed.add(element.closest(".cluster"));
  }
  for (const { element } of clusterBoxes.values()) element.classList.toggle("alarm", alarmed.has(element));
}
