"use strict";
// What is shown, as the address bar holds it: a link shows the same pictures.

const DEFAULTS = {
  label: null, seed: 0, truncation: 1, count: 16, picked: null, hops: "", strength: 0.3, moved: "", second: null, share: 0.5,
};
const LARGEST = { label: 1000, seed: 2 ** 31 - 1, truncation: 1.5, picked: 63, strength: 1, second: 63, share: 1 };
const SMALLEST = { truncation: 0.05, strength: 0.05 };
const COUNTS = [16, 36, 64];
const HOP = /^(\d(?:\.\d+)?),(\d+)$/; // a strength, and which of the neighbours
const MOVE = /^\d+,-?\d(\.\d+)?$/; // which number of the latent, and its value
const MOST_STEPS = 30;

/** The state of an address's part after #; what is missing or makes no sense is as by default. */
function readState(text) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const state = { ...DEFAULTS };
  for (const [name, largest] of Object.entries(LARGEST)) {
    const value = Number(given.get(name) || NaN);
    const whole = !["truncation", "strength", "share"].includes(name);
    if (value >= (SMALLEST[name] ?? 0) && value <= largest && !(whole && value % 1)) state[name] = value;
  }
  if (COUNTS.includes(Number(given.get("count")))) state.count = Number(given.get("count"));
  const isStep = (step) => HOP.test(step) || (step[0] === "m" && step.slice(1).split(";").every((move) => MOVE.test(move)));
  state.hops = (given.get("hops") ?? "").split("~").filter(isStep).slice(0, MOST_STEPS).join("~");
  state.moved = (given.get("moved") ?? "").split("~").filter((move) => MOVE.test(move)).join("~");
  return state;
}

function writeState(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name] && value !== null);
  return "#" + new URLSearchParams(changed);
}

const parts = (text, separator) => text.split(separator).filter(Boolean);
const readMoves = (text, separator) => parts(text, separator).map((move) => move.split(",").map(Number));

/** The steps from a picture of the grid: {strength, index} to a neighbour, {moves} of numbers by hand: [[which, value], …]. */
function readSteps({ hops, moved }) {
  const steps = parts(hops, "~").map((step) => {
    if (step[0] === "m") return { moves: readMoves(step.slice(1), ";") };
    const [, strength, index] = step.match(HOP);
    return { strength: Math.min(Number(strength), 1), index: Number(index) };
  });
  return [...steps, { moves: readMoves(moved, "~") }];
}

/** The state after a step to a neighbour of what is shown, moves by hand included; null where the way is too long. */
function withHop(state, index) {
  const moved = state.moved && `m${state.moved.replaceAll("~", ";")}`;
  const steps = [...parts(state.hops, "~"), moved, `${state.strength},${index}`].filter(Boolean);
  return steps.length > MOST_STEPS ? null : { ...state, hops: steps.join("~"), moved: "" };
}

function withMove(state, which, value) {
  const others = readMoves(state.moved, "~").filter(([other]) => other !== which);
  return [...others, [which, value]].map((move) => move.join(",")).join("~");
}
