// The presenter's controls: a banner that everybody sees while something is switched off, and buttons
// for who may press them. What is switched off comes with the summary, as all that changes.
"use strict";

let mayControl = false;
let refusal = "";

async function loadControls() {
  let allowed = false;
  try {
    const response = await fetch("api/v1/controls");
    if (response.ok) allowed = (await response.json()).allowed;
  } catch {
    // The event stream tells that the reflector is away, and asks again when it is back.
  }
  if (allowed === mayControl) return;
  mayControl = allowed;
  tiles.clear();
  clusterBoxes.clear();
  dirty.add("peers");
  paintBanner();
  paintSoon();
}

async function giveOrder(path, body) {
  refusal = "";
  try {
    const response = await fetch(`api/v1/${path}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!response.ok) refusal = (await response.json()).error;
  } catch {
    refusal = "the reflector is away";
  }
  paintBanner();
}

function controlButton(text, act) {
  const button = make("button", "control", text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

const isOff = (network) => (state.summary.disconnected || []).includes(network);

/** The button of a cluster's box, made once, so that it keeps the keyboard's focus. */
function clusterButton(network) {
  if (!mayControl || !network) return null;
  return controlButton("", () => giveOrder(isOff(network) ? "clusters/connect" : "clusters/disconnect", { cluster: network }));
}

function labelClusterButton(button, network) {
  if (!button) return;
  const text = isOff(network) ? "Connect" : "Disconnect";
  if (button.textContent === text) return;
  button.textContent = text;
  button.setAttribute("aria-label", `${text} ${network}`);
}

/** The button of a node's tile. */
function dropButton(peer) {
  if (!mayControl || !isUp(peer)) return [];
  const button = controlButton("Drop session", () => giveOrder(`neighbors/${encodeURIComponent(peer.address)}/clear`, {}));
  button.setAttribute("aria-label", `Drop session of ${label(peer)}`);
  return [button];
}

function paintBanner() {
  const { disconnected = [], own_routes_hidden: hidden = false } = state.summary;
  const lines = disconnected.map((network) => [`✂ ${network} is disconnected from the others`,
    "Connect", () => giveOrder("clusters/connect", { cluster: network })]);
  if (hidden) lines.push(["✂ The debug route is hidden", "Show it", () => giveOrder("own-routes", { hidden: false })]);
  if (refusal) lines.push([`✖ That was not done: ${refusal}`]);
  const banner = byId("banner");
  const shown = JSON.stringify([mayControl, ...lines.map(([words]) => words)]);
  if (banner.dataset.shown !== shown) {
    banner.dataset.shown = shown;
    banner.hidden = lines.length === 0;
    banner.replaceChildren(...lines.map(([words, text, act]) =>
      make("p", "", words, ...(mayControl && act ? [controlButton(text, act)] : []))));
  }
  const button = byId("debug-route");
  button.hidden = !mayControl;
  button.textContent = hidden ? "Show debug route" : "Hide debug route";
}
