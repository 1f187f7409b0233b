// The table of routes, and the dialog that explains one.
"use strict";

const ROWS_AT_A_TIME = 100;
const MAX_NAMES = 40;

// The reflector searches, and only rows that are in sight are fetched and made.

const table = { total: 0, text: "", due: 0, busy: false, again: false };

function rowHeight() {
  return 2.2 * parseFloat(getComputedStyle(document.documentElement).fontSize);
}

function refreshRoutes() {
  if (table.busy) { table.again = true; return; }
  clearTimeout(table.timer);
  // What changes all the time is fetched once a second at most.
  table.timer = setTimeout(fetchRoutes, Math.max(0, table.due - Date.now()));
}

async function fetchRoutes() {
  table.busy = true;
  const box = byId("window");
  const height = rowHeight();
  const inSight = Math.ceil(box.clientHeight / height);
  const offset = Math.max(0, Math.floor(box.scrollTop / height) - Math.floor((ROWS_AT_A_TIME - inSight) / 2));
  const query = new URLSearchParams({ search: table.text, offset, limit: ROWS_AT_A_TIME });
  try {
    const response = await fetch(`api/v1/routes?${query}`);
    if (response.ok) showRoutes(await response.json());
  } catch {
    // The event stream tells that the reflector is away, and comes back by itself.
  } finally {
    table.busy = false;
    table.due = Date.now() + 1000;
    if (table.again) { table.again = false; refreshRoutes(); }
  }
}

function showRoutes(answer) {
  table.total = answer.total;
  byId("found").textContent = count(answer.total, "route");
  byId("table").setAttribute("aria-rowcount", answer.total + 1);
  const rows = byId("rows");
  const height = rowHeight();
  const focused = document.activeElement && document.activeElement.dataset.prefix;
  rows.style.height = `${answer.total * height}px`;
  rows.replaceChildren(...answer.routes.map((route, index) => {
    const [best] = route.paths;
    const button = make("button", "", route.prefix);
    button.type = "button";
    button.dataset.prefix = route.prefix;
    button.addEventListener("click", () => showRoute(route));
    const cell = (className, content) => { const span = make("span", className, content); span.setAttribute("role", "cell"); return span; };
    const because = route.paths.length > 1 ? `${route.best_because} (of ${route.paths.length})` : route.best_because;
    const row = make("div", "row", cell("", button), cell("mono", best.next_hop || "this reflector"), cell("", sourceOf(best)), cell("", because));
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", answer.offset + index + 2);
    row.style.top = `${(answer.offset + index) * height}px`;
    return row;
  }));
  if (focused) for (const button of rows.querySelectorAll("button")) if (button.dataset.prefix === focused) button.focus({ preventScroll: true });
}

function sourceOf(path) {
  if (path.from.local) return "this reflector";
  return path.from.host_name ? `${path.from.host_name} (${path.from.address})` : path.from.address;
}

const ATTRIBUTES = [["next_hop", "Next hop"], ["as_path", "AS path"], ["local_pref", "Local preference"], ["med", "MED"],
  ["origin", "Origin"], ["communities", "Communities"], ["large_communities", "Large communities"],
  ["originator_id", "Originator id"], ["cluster_list", "Cluster list"], ["told_to", "Told to"]];

async function showRoute(route) {
  byId("route-title").textContent = route.prefix;
  byId("route-paths").replaceChildren(...route.paths.map((path) => describePath(path, route)));
  byId("route-peers").replaceChildren();
  byId("route").showModal();
  let answer;
  try {
    const response = await fetch(`api/v1/explain?${new URLSearchParams({ prefix: route.prefix })}`);
    if (response.ok) answer = await response.json();
  } catch {
    // What the table knew is shown already; the reflector is away.
  }
  if (!answer || byId("route-title").textContent !== route.prefix) return;
  if (answer.route) byId("route-paths").replaceChildren(...answer.route.paths.map((path) => describePath(path, answer.route)));
  byId("route-peers").replaceChildren(...toWhom(answer));
}

function describePath(path, route) {
  const facts = make("dl", "");
  for (const [key, name] of ATTRIBUTES) {
    const value = path[key];
    if (value === undefined || value === null || value === "") continue;
    facts.append(make("dt", "", name), make("dd", "", Array.isArray(value) ? value.join(", ") : String(value)));
  }
  const best = path === route.paths[0];
  const lost = path.lost_by ? `Not chosen, lost by ${path.lost_by}` : "Not chosen";
  const won = route.paths.length > 1 ? `Best, by ${route.best_because}` : "Best: the only path";
  return make("section", "", make("h3", "", `${best ? won : lost}: from ${sourceOf(path)}`), facts);
}

/** To whom a route went and why not to the others: peers with the same reason together. */
function toWhom(answer) {
  const byReason = new Map();
  for (const peer of answer.peers) {
    const reason = `${peer.told ? "✓ Told" : "✖ Not told"}${peer.why ? `: ${peer.why}` : ""}`;
    if (!byReason.has(reason)) byReason.set(reason, []);
    byReason.get(reason).push(peer.host_name ? `${peer.host_name} (${peer.address})` : peer.address);
  }
  const parts = [...byReason].sort(([a], [b]) => (a < b ? 1 : -1)).flatMap(([reason, names]) => [
    make("h3", "", `${reason} (${count(names.length, "peer")})`),
    make("p", "names", names.slice(0, MAX_NAMES).join(", "), names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ""),
  ]);
  for (const refusal of answer.refused) {
    parts.push(make("h3", "", `✖ Not used from ${refusal.host_name || refusal.address}`), make("p", "names", refusal.why));
  }
  if (answer.within.count) {
    parts.push(make("h3", "", "Longer prefixes take a part of its traffic"),
      make("p", "names", answer.within.prefixes.join(", "), answer.within.count > answer.within.prefixes.length ? " and more" : ""));
  }
  return parts;
}
