// How the page looks, what its controls do, and the start.
"use strict";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-pressed", theme === "dark");
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  remember("theme", theme);
}

let scale = 1;
function setScale(wanted) {
  scale = Math.min(3, Math.max(0.5, wanted || 1));
  document.documentElement.style.fontSize = scale === 1 ? "" : `${18 * scale}px`;
  remember("scale", scale);
  refreshRoutes();
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* a page without storage forgets */ }
}

function recall(name) {
  const asked = new URLSearchParams(location.search).get(name);
  if (asked) return asked;
  try { return localStorage.getItem(name); } catch { return null; }
}

setTheme(recall("theme") === "dark" ? "dark" : "light");
setScale(Number(recall("scale")));
byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
byId("larger").addEventListener("click", () => setScale(scale * 1.15));
byId("smaller").addEventListener("click", () => setScale(scale / 1.15));
byId("debug-route").addEventListener("click", () => giveOrder("own-routes", { hidden: !state.summary.own_routes_hidden }));
for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copy(button));
byId("bits").addEventListener("change", (event) => { bits = Number(event.target.value); dirty.add("peers"); paintSoon(); });
byId("search").addEventListener("input", (event) => {
  table.text = event.target.value;
  byId("window").scrollTop = 0;
  table.due = Date.now() + 150;
  refreshRoutes();
});
byId("window").addEventListener("scroll", () => { table.due = Date.now() + 60; refreshRoutes(); }, { passive: true });
setInterval(paintTimes, 1000);
loadFlags();
listen();
