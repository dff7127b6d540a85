"use strict";
// The page's state, its loop, and everything that it shows.

const SHOWN = 400; // points of each kind in the picture
const SCORED = 512; // points of each kind for the numbers
const ARROWS = 80;
const FRAME_BUDGET = 10; // milliseconds of training per frame
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const CALM_INTERVAL = 500; // milliseconds between two pictures for readers who want little motion
const HISTORY = 500; // points per curve

const element = (id) => document.getElementById(id);
const plane = new Plane(element("plane"));
const shownLatents = new Random(1001).normals(2 * SHOWN);
const scoredLatents = new Random(1002).normals(2 * SCORED);
const number = (value, digits) => value.toLocaleString("en-US", {
  minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative",
});

let settings = { ...DEFAULTS };
let preset = "works";
let data, gan;
let real, scoredReal, baseline; // real points to show, real points to score against, and the score of real points
let score = {};
let rows = []; // of numbers, for the curves
let rowSteps = 1; // how many steps of G one row stands for
let playing = false;
let slow = null; // the slow step: {phase, ...what it shows}
let brush = [0, 0];

/** Start the game again, with the same seed: the same training follows. */
function restart() {
  slow = null;
  gan = new Gan(data, settings);
  [rows, rowSteps] = [[], 1];
  measure();
  record();
  show();
}

function setData(name) {
  if (!data || name !== settings.data || name === "paint") data = DISTRIBUTIONS[name]();
  settings.data = name;
  if (gan) gan.data = data;
  dataChanged();
}

function dataChanged() {
  real = data.sample(new Random(1003), SHOWN);
  scoredReal = data.sample(new Random(1004), SCORED);
  const others = data.sample(new Random(1005), SCORED);
  const many = data.sample(new Random(1006), 20 * SCORED);
  baseline = { distance: distance(scoredReal, others), good: coverage(data, many).good };
}

function measure() {
  const points = gan.generate(scoredLatents);
  score = { ...coverage(data, points), distance: distance(points, scoredReal) };
}

/** Add a row to the curves. When they are full, each two rows become one. */
function record() {
  if (gan.steps % rowSteps) return;
  rows.push({ ...gan.last, half: 0.5, distance: score.distance, baseline: baseline.distance });
  if (rows.length < HISTORY) return;
  rows = rows.filter((_, k) => k % 2 === 0);
  rowSteps *= 2;
}

function step() {
  gan.step();
  record();
}

// The loop ---------------------------------------------------------------------------------------------------------

let lastShown = 0;
function frame(now) {
  if (!playing) return null;
  const end = performance.now() + FRAME_BUDGET;
  for (let k = 0; k < settings.speed; k++) {
    step();
    if (!Number.isFinite(gan.last.lossD + gan.last.lossG)) return breakDown();
    if (performance.now() > end) break;
  }
  if (!CALM.matches || now - lastShown >= CALM_INTERVAL) {
    lastShown = now;
    measure();
    show();
  }
  return requestAnimationFrame(frame);
}

function breakDown() {
  pause();
  say("The training broke down: the numbers grew without limit. Lower the learning rates and start over.");
}

function play() {
  if (playing) return;
  if (data.spots.length === 0) { say("Paint some data first: draw on the picture."); return; }
  finishSlowStep();
  playing = true;
  requestAnimationFrame(frame);
  show();
  say("Playing.");
}

function pause() {
  if (!playing) return;
  playing = false;
  measure();
  show();
  say(`Paused after ${number(gan.steps, 0)} steps of G. ${describe()}`);
}

const say = (text) => { element("status").textContent = text; };
const describe = () => `${score.covered} of ${score.spots} ${data.unit}s covered, ` +
  `${number(100 * score.good, 0)}% of G’s points on the data.`;

// One step in slow motion ------------------------------------------------------------------------------------------

/** Go to the next of the three parts of a step: D learns, the arrows, G moves. */
function slowStep() {
  if (data.spots.length === 0) return play();
  pause();
  const phase = slow ? (slow.phase % 3) + 1 : 1;
  slow = [showDLearns, showArrows, showGMoves][phase - 1]();
  slow.phase = phase;
  measure();
  show();
  return say(`Paused after ${number(gan.steps, 0)} steps of G.`);
}

function showDLearns() {
  const [before, beforeReal, beforeFake] = [answerField(gan.D), meanAnswer(real), meanAnswer(points())];
  gan.owed = Math.max(gan.owed, 1 - settings.stepsD); // at least one step of D, to have something to show
  gan.learnsD();
  const change = answerField(gan.D).map((answer, cell) => answer - before[cell]);
  const largest = Math.max(1e-12, ...change.map(Math.abs));
  const times = settings.stepsD === 1 ? "one step" : `${settings.stepsD} steps`;
  const text = `1 of 3. D learns: ${times}, while G stands still. ` +
    `Blue: D’s answer rises. Orange: it falls, by ${brief(largest)} at most. ` +
    `For the data its mean goes from ${number(beforeReal, 3)} to ${number(meanAnswer(real), 3)}, ` +
    `for G’s points from ${number(beforeFake, 3)} to ${number(meanAnswer(points()), 3)}.`;
  return { text, field: change.map((number) => 0.5 + (0.5 * number) / largest) };
}

function showArrows() {
  const lengths = pull().reduce((sum, number) => sum + number ** 2, 0) / SHOWN;
  const text = "2 of 3. D stands still. Each arrow shows the way in which G’s loss falls fastest: " +
    "where this point seems more real to D. " +
    `Typical slope of the loss: ${brief(Math.sqrt(lengths))}.`;
  return { text, arrows: true };
}

function showGMoves() {
  const before = points();
  gan.learnG();
  record();
  const after = points();
  const largest = Math.max(...after.map((number, k) => Math.abs(number - before[k])));
  const zoom = Math.max(1, Math.round(0.4 / Math.max(largest, 1e-6)));
  const to = after.map((number, k) => before[k] + zoom * (number - before[k]));
  const text = "3 of 3. G moves its weights by one step, and its points follow the arrows. " +
    "All points share the weights, so none is free. " +
    (zoom > 1 ? `The moves are drawn ${number(zoom, 0)} times as long.` : "");
  return { text, moves: { before, to } };
}

/** D has learned but G has not: let G make its step, so that the training is the same with and without slow motion. */
function finishSlowStep() {
  if (slow && slow.phase < 3) {
    gan.learnG();
    record();
  }
  slow = null;
}

const points = () => gan.generate(shownLatents);
const meanAnswer = (batch) => mean(gan.D.run(batch).output.map(sigmoid));
const pull = () => generatorLoss(gan.G, gan.D, shownLatents, real, settings).pull;
const brief = (value) => (value === 0 || value >= 0.001 ? number(value, 3)
  : value.toLocaleString("en-US", { maximumSignificantDigits: 1 }));

// Showing ----------------------------------------------------------------------------------------------------------

function show() {
  drawPlane();
  drawScores();
  showControls();
}

function drawPlane() {
  plane.clear();
  const samples = points();
  const best = element("background").value === "best" && data.spots.length > 0;
  plane.field(slow?.field ?? (best ? bestField(data, samples) : answerField(gan.D)));
  if (element("mesh").checked) plane.mesh(gan.G);
  if (data.spots.length) plane.crosses(real);
  plane.dots(slow?.moves?.before ?? samples, slow?.moves ? 0.5 : 0.9);
  if (slow?.moves) plane.arrows(slow.moves.before, slow.moves.to);
  if (slow?.arrows || element("arrows").checked) drawArrows(samples);
  if (settings.data === "paint" && document.activeElement === plane.canvas) plane.brush(brush, data.spread);
}

/** The arrows' lengths grow with the slope, but never beyond half a unit. */
function drawArrows(samples) {
  const from = samples.slice(0, 2 * ARROWS);
  const forces = pull();
  const to = from.map((number, k) => {
    const length = Math.hypot(forces[k - (k % 2)], forces[k - (k % 2) + 1]);
    return number + (0.5 * forces[k]) / (1 + length);
  });
  plane.arrows(from, to);
}

function drawScores() {
  const { lossD, lossG, real: onReal, fake: onFake, gradientNorm } = gan.last;
  const texts = {
    "covered-name": `${data.unit === "part" ? "Parts" : "Clusters"} covered`,
    covered: `${score.covered} of ${score.spots}`,
    good: `${number(100 * score.good, 0)}% (real points: ${number(100 * baseline.good, 0)}%)`,
    distance: `${number(score.distance, 2)} (real points: ${number(baseline.distance, 2)})`,
    steps: number(gan.steps, 0),
    gradient: brief(gradientNorm),
    "distance-now": number(score.distance, 2), "real-now": number(onReal, 2), "fake-now": number(onFake, 2),
    "lossD-now": number(lossD, 2), "lossG-now": number(lossG, 2),
  };
  for (const [id, text] of Object.entries(texts)) element(id).textContent = text;
  drawCurves(element("distance-curve"), rows, [
    { name: "baseline", color: "soft", dashed: true }, { name: "distance", color: "ink" },
  ]);
  drawCurves(element("answer-curve"), rows, [
    { name: "half", color: "soft", dashed: true }, { name: "real", color: "real" }, { name: "fake", color: "fake" },
  ], [0, 1]);
  drawCurves(element("loss-curve"), rows, [{ name: "lossD", color: "real" }, { name: "lossG", color: "fake" }]);
}

function showControls() {
  const press = (id, value) => document.querySelectorAll(`#${id} button[value]`).forEach((button) => {
    button.setAttribute("aria-pressed", String(button.value === value));
  });
  press("presets", preset);
  press("data", settings.data);
  element("play").textContent = playing ? "Pause" : "Play";
  element("slow").textContent = slow ? `Slow step ${slow.phase}/3` : "Slow step";
  element("explanation").hidden = !slow;
  element("watch").hidden = Boolean(slow);
  if (slow) element("explanation").textContent = slow.text;
  const painting = settings.data === "paint";
  element("clear").hidden = !painting;
  plane.canvas.classList.toggle("painting", painting);
  plane.canvas.tabIndex = painting ? 0 : -1;
  plane.canvas.setAttribute("role", painting ? "application" : "img");
  if (!playing) plane.canvas.setAttribute("aria-label", painting
    ? "The picture. Draw on it, or move the brush with the arrow keys and paint with Enter." : `The picture. ${describe()}`);
}

function showSettings() {
  for (const [name, { values, text }] of Object.entries(SLIDERS)) {
    const gaps = values.map((value) => Math.abs(value - settings[name]));
    element(name).value = gaps.indexOf(Math.min(...gaps));
    const shown = text(settings[name]);
    element(`${name}-shown`).textContent = shown;
    element(name).setAttribute("aria-valuetext", shown);
  }
  for (const name of ["loss", "optimizerG"]) element(name).value = settings[name];
  element("seed").value = settings.seed;
  element("formulas").textContent = `${FORMULAS[settings.loss]} Here real and fake are D’s logits, and σ(logit) is its answer.`;
}
