"use strict";
// The page's controls, and everything that they show.

const NEIGHBORS = 12;
const FRAMES = 33; // an odd number, so that one frame lies in the middle
const FRAME_MILLISECONDS = 60;

const about = JSON.parse(document.getElementById("about").textContent);
const shape = about.shape;
const element = (id) => document.getElementById(id);
const engine = openEngine(about);
let state = readState(location.hash);
let shown = {}; // the pictures in each place: grid, picked, neighbors, film
let choosingSecond = false; // whether a click in the grid chooses the second picture of a blend

// Each stage is computed again only if its inputs have changed.
const cache = {};
async function stage(name, inputs, compute) {
  const key = JSON.stringify(inputs, (_, value) => (value instanceof Float32Array ? [...value] : value));
  if (cache[name]?.key !== key) cache[name] = { key, value: await compute(inputs) };
  return cache[name].value;
}

const latentOf = (pictures, index) => pictures.latents.slice(index * about.latent_dim, (index + 1) * about.latent_dim);
const titleOf = ({ labels }, index) => {
  const className = about.class_names[labels[index]]; // undefined if the model has no classes
  return className === undefined ? `Picture ${index + 1}` : `Picture ${index + 1}: ${className}`;
};

/** Compute the picked picture's latent vector: a picture of the grid, then the steps to neighbors and the edits. */
async function pickedLatent(grid) {
  let latent = latentOf(grid, state.picked);
  const label = grid.labels[state.picked];
  for (const { moves, strength, index } of readSteps(state)) {
    if (moves) {
      for (const [position, value] of moves) if (position < latent.length) latent[position] = value;
    } else {
      latent = latentOf(await engine.vary({ latent, label, strength, count: NEIGHBORS, seed: 0 }), index % NEIGHBORS);
    }
  }
  return latent;
}

async function compute() {
  if (state.label !== null && state.label >= about.class_names.length) state.label = null;
  const { seed, count, label, truncation } = state;
  const grid = await stage("grid", { seed, count, label, truncation }, (inputs) => engine.draw(inputs));
  shown = { grid };
  if (state.picked !== null && state.picked < count) await computePicked(grid);
}

async function computePicked(grid) {
  const label = grid.labels[state.picked];
  const source = { grid: cache.grid.key, picked: state.picked, hops: state.hops, moved: state.moved };
  const latent = await stage("latent", source, () => pickedLatent(grid));
  const second = state.second !== null && state.second < grid.count ? state.second : null;
  shown.picked = await stage("picked", { latents: latent, labels: [label] }, (inputs) => engine.decode(inputs));
  const variation = { latent, label, strength: state.strength, count: NEIGHBORS, seed: 0 };
  shown.neighbors = await stage("neighbors", variation, (inputs) => engine.vary(inputs));
  if (second === null) return;
  const ends = { first: latent, second: latentOf(grid, second), labels: [label, grid.labels[second]], frames: FRAMES };
  shown.film = await stage("film", ends, (inputs) => engine.walk(inputs));
}

const showError = (error) => { element("message").textContent = error.message; };

let busy = false;
let stale = false;
/** Show the state. If it changes several times meanwhile, only the last change is shown. */
async function refresh() {
  stale = true;
  if (busy) return;
  busy = true;
  element("page").setAttribute("aria-busy", "true");
  while (stale) {
    stale = false;
    try {
      await compute();
      show();
      element("message").textContent = choosingSecond ? "Choose the second picture in the grid." : "";
    } catch (error) {
      showError(error);
    }
  }
  busy = false;
  element("page").setAttribute("aria-busy", "false");
  if (shown.picked && shown.picked !== searched) showNearest(shown.picked);
  updateAddress();
}

/** Runs after the last change only: browsers limit how often a page may change its address. */
function updateAddress() {
  const address = writeState(state);
  if (address !== (location.hash || "#")) history.replaceState(null, "", address);
}

function change(changes) {
  state = { ...state, ...changes };
  refresh();
}

/** Show one button for each picture. */
function showButtons(container, pictures, label, onPick) {
  while (container.children.length > pictures.count) container.lastChild.remove();
  while (container.children.length < pictures.count) {
    const button = document.createElement("button");
    const index = container.children.length;
    button.type = "button";
    button.append(document.createElement("canvas"));
    button.addEventListener("click", () => onPick(index));
    container.append(button);
  }
  [...container.children].forEach((button, index) => {
    paint(button.firstChild, pictures, index, shape);
    button.setAttribute("aria-label", label(index));
  });
}

function show() {
  const { grid, picked, neighbors, film } = shown;
  showButtons(element("grid"), grid, (i) => titleOf(grid, i), pickFromGrid);
  element("grid").style.setProperty("--columns", Math.ceil(Math.sqrt(grid.count)));
  [...element("grid").children].forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === state.picked));
    button.classList.toggle("second", i === state.second);
  });
  showControls();
  element("picked").hidden = !picked;
  element("invitation").hidden = Boolean(picked);
  if (!film) stopFilm();
  if (!picked) return;
  element("picked-title").textContent = titleOf(grid, state.picked);
  paint(element("picked-picture"), picked, 0, shape);
  showButtons(element("neighbors"), neighbors, (i) => `Neighbor ${i + 1}`, hop);
  showSliders(picked.latents);
  element("film").hidden = !film;
  if (film) paint(element("film-picture"), film, Math.round(state.share * (film.count - 1)), shape);
}

function showControls() {
  document.querySelectorAll("#classes button").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.value === String(state.label ?? "")));
  });
  for (const name of ["seed", "truncation", "count", "strength", "share"]) element(name).value = state[name];
  element("truncation-shown").textContent = state.truncation.toFixed(2);
  element("strength-shown").textContent = state.strength.toFixed(2);
  element("share-shown").textContent = `${Math.round(100 * state.share)} %`;
  element("back").disabled = !state.hops && !state.moved;
  element("blend").setAttribute("aria-pressed", String(choosingSecond));
}

function showSliders(latent) {
  element("latents").querySelectorAll("input").forEach((slider, position) => {
    if (slider !== document.activeElement) slider.value = latent[position];
  });
}

function pickFromGrid(index) {
  if (choosingSecond) {
    choosingSecond = false;
    change({ second: index });
    element("film").scrollIntoView({ block: "nearest" });
  } else {
    change({ picked: index, hops: "", moved: "" });
  }
}

function hop(index) {
  const next = withHop(state, index);
  if (next) change(next);
  else showError(new Error(`An address holds at most ${MAX_STEPS} steps. Undo all changes to start again.`));
}

let filmTimer = null;
function stopFilm() {
  clearInterval(filmTimer);
  filmTimer = null;
  element("play").textContent = "Play as a film";
}

/** Play the film from the slider's position to the second picture and back, until it is stopped. */
function play() {
  if (filmTimer) {
    stopFilm();
    change({ share: Number(Number(element("share").value).toFixed(2)) });
    return;
  }
  const startTime = performance.now();
  const startShare = state.share;
  filmTimer = setInterval(() => {
    const phase = (startShare + (performance.now() - startTime) / FRAME_MILLISECONDS / (FRAMES - 1)) % 2;
    const share = phase < 1 ? phase : 2 - phase;
    if (shown.film) paint(element("film-picture"), shown.film, Math.round(share * (shown.film.count - 1)), shape);
    element("share").value = share;
  }, FRAME_MILLISECONDS);
  element("play").textContent = "Stop the film";
}

let searched = null; // the picked picture that the last search was for, unless that search failed
/** Show the training images nearest to a picked picture. Only a server has them. */
async function showNearest(picked) {
  if (!engine.nearest) return;
  searched = picked;
  const answer = await engine.nearest(picked).catch((error) => ({ message: error.message }));
  if (picked !== searched) return; // Another picture was picked meanwhile.
  element("nearest-message").textContent = answer.message;
  element("nearest").replaceChildren(...Array.from({ length: answer.pictures?.count ?? 0 }, (_, i) => {
    const canvas = document.createElement("canvas");
    paint(canvas, answer.pictures, i, shape);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Training image ${answer.numbers[i]}, distance ${answer.distances[i].toFixed(2)}`);
    return canvas;
  }));
  if (answer.again) setTimeout(() => picked === searched && showNearest(picked), 1000);
  else if (!answer.pictures) searched = null; // The next change searches again.
}

/** Move the focus among the pictures of a grid with the arrow keys. */
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
  for (let position = 0; position < about.latent_dim; position++) {
    const label = document.createElement("label");
    const slider = Object.assign(document.createElement("input"), { type: "range", min: -3, max: 3, step: 0.01 });
    slider.addEventListener("input", () => change({ moved: withMove(state, position, Number(slider.value)) }));
    label.append(`${position + 1}`, slider);
    slider.setAttribute("aria-label", `Number ${position + 1} of the latent vector`);
    element("latents").append(label);
  }
}

function addListeners() {
  document.querySelectorAll("#classes button").forEach((button) => {
    button.addEventListener("click", () => change({ label: button.value === "" ? null : Number(button.value) }));
  });
  for (const name of ["seed", "truncation", "count", "strength", "share"]) {
    element(name).addEventListener("input", ({ target }) => {
      if (!target.validity.valid) showError(new Error(`The ${name} must be a whole number, ${target.min} to ${target.max}.`));
      else if (target.value !== "") change({ [name]: Number(target.value) });
    });
  }
  element("share").addEventListener("input", stopFilm);
  element("next-seed").addEventListener("click", () => change({ seed: (state.seed + 1) % (MAXIMUMS.seed + 1) }));
  element("back").addEventListener("click", () => change({ hops: "", moved: "" }));
  element("blend").addEventListener("click", () => { choosingSecond = !choosingSecond; refresh(); });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && choosingSecond) element("blend").click();
  });
  element("play").addEventListener("click", play);
  for (const id of ["grid", "neighbors"]) element(id).addEventListener("keydown", moveFocus);
  window.addEventListener("hashchange", () => { state = readState(location.hash); refresh(); });
}

function addSaveListeners() {
  const gridColumns = () => Math.ceil(Math.sqrt(shown.grid.count));
  element("save-grid").addEventListener("click", () => savePng(shown.grid, shape, gridColumns(), "grid.png"));
  element("save-picked").addEventListener("click", () => savePng(shown.picked, shape, 1, "picture.png"));
  element("save-film").addEventListener("click", () => savePng(shown.film, shape, 11, "film.png"));
  document.querySelectorAll("[data-save]").forEach((button) => {
    const { save: format, of: place } = button.dataset;
    button.addEventListener("click", () => {
      engine.save(format, shown[place]).then((blob) => saveFile(blob, `${place}.${format}`)).catch(showError);
    });
  });
}

addLatentSliders();
addListeners();
addSaveListeners();
refresh();
