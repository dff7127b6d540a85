"use strict";
// The controls, and what they show.

const NEIGHBOURS = 12;
const FRAMES = 33; // so that one lies in the middle
const FRAME_MILLISECONDS = 60;

const about = JSON.parse(document.getElementById("about").textContent);
const shape = about.shape;
const by = (id) => document.getElementById(id);
const engine = openEngine(about);
let state = readState(location.hash);
let shown = {}; // the pictures of each place
let choosing = false; // whether the next picture of the grid is the second one of a blend

// Each stage is worked out anew only where what it depends on has changed.
const kept = {};
async function stage(name, inputs, work) {
  const key = JSON.stringify(inputs, (_, value) => (value instanceof Float32Array ? [...value] : value));
  if (kept[name]?.key !== key) kept[name] = { key, value: await work(inputs) };
  return kept[name].value;
}

const latentOf = (pictures, index) => pictures.latents.slice(index * about.latent_dim, (index + 1) * about.latent_dim);
const nameOf = (label) => about.class_names[label] ?? "picture";

/** The latent of the chosen picture: one of the grid, and from there on neighbours and what was moved by hand. */
async function chosenLatent(grid) {
  let latent = latentOf(grid, state.picked);
  const label = grid.labels[state.picked];
  for (const { moves, strength, index } of readSteps(state)) {
    if (moves) {
      for (const [which, value] of moves) if (which < latent.length) latent[which] = value;
    } else {
      latent = latentOf(await engine.vary({ latent, label, strength, count: NEIGHBOURS, seed: 0 }), index % NEIGHBOURS);
    }
  }
  return latent;
}

async function work() {
  if (state.label !== null && state.label >= about.class_names.length) state.label = null;
  const { seed, count, label, truncation } = state;
  const grid = await stage("grid", { seed, count, label, truncation }, (inputs) => engine.draw(inputs));
  shown = { grid };
  if (state.picked !== null && state.picked < count) await workOutPicked(grid);
}

async function workOutPicked(grid) {
  const label = grid.labels[state.picked];
  const from = { grid: kept.grid.key, picked: state.picked, hops: state.hops, moved: state.moved };
  const latent = await stage("latent", from, () => chosenLatent(grid));
  const second = state.second !== null && state.second < grid.count ? state.second : null;
  shown.label = label;
  shown.picked = await stage("picked", { latents: latent, labels: [label] }, (inputs) => engine.decode(inputs));
  const nearby = { latent, label, strength: state.strength, count: NEIGHBOURS, seed: 0 };
  shown.neighbours = await stage("neighbours", nearby, (inputs) => engine.vary(inputs));
  if (second === null) return;
  const ends = { first: latent, second: latentOf(grid, second), labels: [label, grid.labels[second]], frames: FRAMES };
  shown.film = await stage("film", ends, (inputs) => engine.walk(inputs));
}

const tell = (error) => { by("message").textContent = error.message; };

let busy = false;
let stale = false;
/** Show the state; of many changes in a row, the last one. */
async function refresh() {
  stale = true;
  if (busy) return;
  busy = true;
  by("page").setAttribute("aria-busy", "true");
  while (stale) {
    stale = false;
    try {
      await work();
      show();
      by("message").textContent = choosing ? "Choose the second picture in the grid." : "";
    } catch (error) {
      tell(error);
    }
  }
  busy = false;
  by("page").setAttribute("aria-busy", "false");
  if (shown.picked) showNearest();
  showAddress();
}

/** Written once it is settled: browsers refuse an address at every step of a slider. */
function showAddress() {
  const address = writeState(state);
  if (address !== (location.hash || "#")) history.replaceState(null, "", address);
}

function change(changes) {
  state = { ...state, ...changes };
  refresh();
}

/** As many picture buttons as there are pictures, painted. */
function showButtons(place, pictures, label, onPick) {
  while (place.children.length > pictures.count) place.lastChild.remove();
  while (place.children.length < pictures.count) {
    const button = document.createElement("button");
    const index = place.children.length;
    button.type = "button";
    button.append(document.createElement("canvas"));
    button.addEventListener("click", () => onPick(index));
    place.append(button);
  }
  [...place.children].forEach((button, index) => {
    paint(button.firstChild, pictures, index, shape);
    button.setAttribute("aria-label", label(index));
  });
}

function show() {
  const { grid, picked, neighbours, film } = shown;
  showButtons(by("grid"), grid, (i) => `Picture ${i + 1}: ${nameOf(grid.labels[i])}`, pickFromGrid);
  by("grid").style.setProperty("--columns", Math.ceil(Math.sqrt(grid.count)));
  [...by("grid").children].forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === state.picked));
    button.classList.toggle("second", i === state.second);
  });
  showControls();
  by("picked").hidden = !picked;
  by("invitation").hidden = Boolean(picked);
  if (!film) stopFilm();
  if (!picked) return;
  by("picked-title").textContent = `Picture ${state.picked + 1}: ${nameOf(shown.label)}`;
  paint(by("picked-picture"), picked, 0, shape);
  showButtons(by("neighbours"), neighbours, (i) => `Neighbour ${i + 1}`, hop);
  showSliders(picked.latents);
  by("film").hidden = !film;
  if (film) paint(by("film-picture"), film, Math.round(state.share * (film.count - 1)), shape);
}

function showControls() {
  document.querySelectorAll("#classes button").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.value === String(state.label ?? "")));
  });
  for (const name of ["seed", "truncation", "count", "strength", "share"]) by(name).value = state[name];
  by("truncation-shown").textContent = state.truncation.toFixed(2);
  by("strength-shown").textContent = state.strength.toFixed(2);
  by("share-shown").textContent = `${Math.round(100 * state.share)} %`;
  by("back").disabled = !state.hops && !state.moved;
  by("blend").setAttribute("aria-pressed", String(choosing));
}

function showSliders(latent) {
  by("latents").querySelectorAll("input").forEach((slider, which) => {
    if (slider !== document.activeElement) slider.value = latent[which];
  });
}

function pickFromGrid(index) {
  if (choosing) {
    choosing = false;
    change({ second: index });
    by("film").scrollIntoView({ block: "nearest" });
  } else {
    change({ picked: index, hops: "", moved: "" });
  }
}

function hop(index) {
  const next = withHop(state, index);
  if (next) change(next);
  else tell(new Error(`An address holds ${MOST_STEPS} steps at most: go back to the grid's picture to begin anew.`));
}

let playing = null;
function stopFilm() {
  clearInterval(playing);
  playing = null;
  by("play").textContent = "Play as a film";
}

/** A film that runs from where the slider stands until it is stopped: to the second picture and back. */
function play() {
  if (playing) {
    stopFilm();
    change({ share: Number(Number(by("share").value).toFixed(2)) });
    return;
  }
  const began = performance.now();
  const first = state.share;
  playing = setInterval(() => {
    const time = (first + (performance.now() - began) / FRAME_MILLISECONDS / (FRAMES - 1)) % 2;
    const share = time < 1 ? time : 2 - time;
    if (shown.film) paint(by("film-picture"), shown.film, Math.round(share * (shown.film.count - 1)), shape);
    by("share").value = share;
  }, FRAME_MILLISECONDS);
  by("play").textContent = "Stop the film";
}

let asked = 0;
/** The training images that are most like the chosen picture, where there is a server that has them. */
async function showNearest() {
  if (!engine.nearest) return;
  const number = ++asked;
  const answer = await engine.nearest(shown.picked).catch((error) => ({ message: error.message }));
  if (number !== asked) return;
  by("nearest-message").textContent = answer.message;
  by("nearest").replaceChildren(...Array.from({ length: answer.pictures?.count ?? 0 }, (_, i) => {
    const canvas = document.createElement("canvas");
    paint(canvas, answer.pictures, i, shape);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Training image ${answer.numbers[i]}, distance ${answer.distances[i].toFixed(2)}`);
    return canvas;
  }));
  if (answer.again) setTimeout(() => number === asked && showNearest(), 1000);
}

/** The arrow keys move among the pictures of a grid. */
function moveFocus(event) {
  const buttons = [...event.currentTarget.children];
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function addLatentSliders() {
  for (let which = 0; which < about.latent_dim; which++) {
    const label = document.createElement("label");
    const slider = Object.assign(document.createElement("input"), { type: "range", min: -3, max: 3, step: 0.01 });
    slider.addEventListener("input", () => change({ moved: withMove(state, which, Number(slider.value)) }));
    label.append(`${which + 1}`, slider);
    slider.setAttribute("aria-label", `Number ${which + 1} of the latent`);
    by("latents").append(label);
  }
}

function listen() {
  document.querySelectorAll("#classes button").forEach((button) => {
    button.addEventListener("click", () => change({ label: button.value === "" ? null : Number(button.value) }));
  });
  for (const name of ["seed", "truncation", "count", "strength", "share"]) {
    by(name).addEventListener("input", ({ target }) => {
      if (!target.validity.valid) tell(new Error(`The ${name} must be a whole number, ${target.min} to ${target.max}.`));
      else if (target.value !== "") change({ [name]: Number(target.value) });
    });
  }
  by("share").addEventListener("input", stopFilm);
  by("another").addEventListener("click", () => change({ seed: (state.seed + 1) % LARGEST.seed }));
  by("back").addEventListener("click", () => change({ hops: "", moved: "" }));
  by("blend").addEventListener("click", () => { choosing = !choosing; refresh(); });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && choosing) by("blend").click();
  });
  by("play").addEventListener("click", play);
  by("save-grid").addEventListener("click", () => savePng(shown.grid, shape, Math.ceil(Math.sqrt(shown.grid.count)), "grid.png"));
  by("save-picked").addEventListener("click", () => savePng(shown.picked, shape, 1, "picture.png"));
  by("save-film").addEventListener("click", () => savePng(shown.film, shape, 11, "film.png"));
  document.querySelectorAll("[data-save]").forEach((button) => {
    const { save: kind, of } = button.dataset;
    button.addEventListener("click", () => {
      engine.save(kind, shown[of]).then((blob) => saveFile(blob, `${of}.${kind}`)).catch(tell);
    });
  });
  for (const id of ["grid", "neighbours"]) by(id).addEventListener("keydown", moveFocus);
  window.addEventListener("hashchange", () => { state = readState(location.hash); refresh(); });
}

addLatentSliders();
listen();
refresh();
