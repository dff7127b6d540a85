"use strict";
// What the reader can press, move, type and paint. The last line starts the page.

function change(changes) {
  Object.assign(settings, changes);
  showSettings();
}

function choosePreset(name, { thenPlay = !CALM.matches } = {}) {
  playing = false;
  preset = name;
  const { settings: own, watch, cure } = PRESETS[name];
  settings = { ...DEFAULTS, ...own };
  element("watch").textContent = watch;
  element("cure").hidden = !cure;
  if (cure) element("cure").textContent = `Cure it: ${cure.title}`;
  data = null;
  setData(settings.data);
  restart();
  showSettings();
  say("Ready. Press Play.");
  if (thenPlay) play();
}

function applyCure() {
  const { cure } = PRESETS[preset];
  if (!cure || element("cure").hidden) return;
  change(cure.settings);
  element("watch").textContent = cure.watch;
  element("cure").hidden = true;
  play();
}

function chooseData(name) {
  const wasPlaying = playing;
  pause();
  finishSlowStep();
  setData(name);
  measure();
  show();
  if (name === "paint") say("Draw on the picture with the mouse or a finger. Then press Play.");
  else if (wasPlaying) play();
}

/** Add a spot to the painting, unless one is near. */
function paintAt([x, y]) {
  const near = ([otherX, otherY]) => Math.hypot(x - otherX, y - otherY) < data.spread;
  if (data.spots.some(near) || data.spots.length >= 200 || Math.max(Math.abs(x), Math.abs(y)) > EDGE) return;
  data.spots.push([x, y]);
  dataChanged();
  measure();
  if (!playing) show();
}

function addPainting() {
  const { canvas } = plane;
  const paintHere = (event) => {
    if (settings.data === "paint" && event.buttons) paintAt(plane.point(event.offsetX, event.offsetY));
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (settings.data === "paint") canvas.setPointerCapture(event.pointerId);
    paintHere(event);
  });
  canvas.addEventListener("pointermove", paintHere);
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (settings.data !== "paint" || (!move && event.key !== "Enter")) return;
    event.preventDefault();
    if (move) brush = brush.map((place, k) => Math.max(-EDGE, Math.min(EDGE, place + data.spread * move[k])));
    else paintAt(brush);
    drawPlane();
  });
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, drawPlane);
}

function addSliders() {
  for (const [name, { values }] of Object.entries(SLIDERS)) {
    Object.assign(element(name), { min: 0, max: values.length - 1, step: 1 });
    element(name).addEventListener("input", ({ target }) => change({ [name]: values[target.value] }));
  }
}

function addButtons() {
  Object.entries(PRESETS).forEach(([name, { title }], index) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value: name, textContent: `${index + 1} ${title}` });
    button.addEventListener("click", () => choosePreset(name));
    element("presets").append(button);
  });
  document.querySelectorAll("#data button[value]").forEach((button) => {
    button.addEventListener("click", () => chooseData(button.value));
  });
  element("play").addEventListener("click", () => (playing ? pause() : play()));
  element("slow").addEventListener("click", slowStep);
  element("restart").addEventListener("click", () => { restart(); say("Started over."); });
  element("cure").addEventListener("click", applyCure);
  element("clear").addEventListener("click", () => { chooseData("paint"); });
  for (const id of ["background", "arrows", "mesh"]) element(id).addEventListener("change", drawPlane);
  for (const name of ["loss", "optimizerG"]) {
    element(name).addEventListener("change", ({ target }) => change({ [name]: target.value }));
  }
  element("seed").addEventListener("change", ({ target }) => {
    if (target.validity.valid && target.value !== "") { change({ seed: Number(target.value) }); restart(); }
  });
}

/** Single keys, unless a control needs the key for itself. */
function onKey(event) {
  if (!element("shortcuts").checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const tag = event.target.tagName;
  if (tag === "SELECT" || event.target.type === "number") return;
  if (event.key === " " && ["BUTTON", "SUMMARY"].includes(tag) || event.target.type === "checkbox") return;
  const name = Object.keys(PRESETS)[Number(event.key) - 1];
  const actions = {
    " ": () => (playing ? pause() : play()), s: slowStep, r: () => element("restart").click(), c: applyCure,
  };
  const action = event.key !== " " && name ? () => choosePreset(name) : actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

/** An address that ends in "#collapse" opens that preset, and waits. */
function openAddress() {
  const name = location.hash.slice(1);
  if (PRESETS[name]) choosePreset(name, { thenPlay: false });
  else choosePreset("works");
}

document.body.classList.toggle("framed", window.parent !== window);
addSliders();
addButtons();
addPainting();
document.addEventListener("keydown", onKey);
window.addEventListener("hashchange", openAddress);
window.addEventListener("resize", () => show());
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show());
openAddress();
