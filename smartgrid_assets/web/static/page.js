// Pictures, keys and the choice of light or dark; every page says the same without it, in tables.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const UNITS = ["#1f6fb2", "#e07b2a", "#3f9a57", "#8f6cc0", "#c9a227", "#b0483f", "#3aa6a6", "#7a8794", "#d67ab1", "#6b8e23", "#5470c6", "#a05a2c", "#2f8f83", "#946b9e", "#9aa5ae"];
  const COMPLETE = [[0, "#b3261e"], [0.5, "#e8a33d"], [0.9, "#d9dd6a"], [1, "#2e8b57"]];

  const store = (name, value) => {
    try { return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value); } catch { return null; }
  };
  const theme = store("theme");
  if (theme) root.dataset.theme = theme;

  const colour = (name) => {
    if (name === "complete") return COMPLETE;
    const unit = /^unit(\d+)$/.exec(name);
    return unit ? UNITS[Number(unit[1]) % UNITS.length] : getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  };
  const painted = (value) => {
    if (typeof value === "string") return /^@[a-z0-9]+$/.test(value) ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map(painted);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, painted(one)]));
    return value;
  };

  const draw = (place) => {
    const { data, layout } = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const text = colour("text"), grid = colour("grid");
    const axis = { gridcolor: grid, linecolor: colour("line"), zerolinecolor: colour("line"), automargin: true };
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: text, family: "system-ui, sans-serif", size: 0.82 * parseFloat(getComputedStyle(root).fontSize) },
      margin: { l: 60, r: 20, t: 24, b: 40 }, hovermode: "closest", legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      showlegend: data.length > 1, dragmode: "zoom",
    };
    const full = { ...base, ...painted(layout) };
    for (const name of Object.keys(full)) if (/^[xy]axis\d*$/.test(name)) full[name] = { ...axis, ...full[name] };
    return Plotly.react(place, painted(data), full, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
  };
  const drawAll = () => {
    const places = [...document.querySelectorAll(".plot")];
    if (typeof Plotly === "undefined") {
      for (const place of places) {
        place.classList.add("failed");
        place.closest(".panel")?.querySelector("details")?.setAttribute("open", "");
      }
      return;
    }
    Promise.all(places.map(draw)).then(() => { root.dataset.drawn = String(places.length); });
  };

  const start = () => {
    const button = document.querySelector("[data-theme-switch]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
        root.dataset.theme = dark ? "light" : "dark";
        store("theme", root.dataset.theme);
        drawAll();
      });
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    for (const picker of document.querySelectorAll(".controls select, .controls input[type=date]")) {
      picker.addEventListener("change", () => { if (picker.value) picker.form.requestSubmit(); });
    }
    const waiting = document.querySelector("[data-again]");
    if (waiting) setTimeout(() => { location.reload(); }, Number(waiting.dataset.again));
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, textarea, .scroll, .plot") || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "/") { event.preventDefault(); document.getElementById("q")?.focus(); return; }
      document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
    });
  };
  // This script comes first and needs the page alone; pictures are drawn once the library that draws has come, or has not.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
  if (document.readyState === "complete") drawAll(); else document.addEventListener("DOMContentLoaded", drawAll);
})();
