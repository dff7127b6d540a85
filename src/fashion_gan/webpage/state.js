"use strict";
// The page's state, stored in the address after "#". A link therefore shows the same pictures.

const DEFAULTS = {
  label: null, seed: 0, truncation: 1, count: 16, picked: null, hops: "", strength: 0.3, moved: "", second: null, share: 0.5,
};
const MAXIMUMS = { label: 1000, seed: 2 ** 31 - 1, truncation: 1.5, picked: 63, strength: 1, second: 63, share: 1 };
const MINIMUMS = { truncation: 0.05, strength: 0.05 };
const COUNTS = [16, 36, 64];
const HOP = /^(\d(?:\.\d+)?),(\d+)$/; // a step to a neighbor: the strength, and the neighbor's index
const MOVE = /^\d+,-?\d(\.\d+)?$/; // an edit of the latent vector: the position, and the new value
const MAX_STEPS = 30;

/** Read the state from the address. Missing and invalid parts get their defaults. */
function readState(text) {
  const parameters = new URLSearchParams(text.replace(/^#/, ""));
  const state = { ...DEFAULTS };
  for (const [name, maximum] of Object.entries(MAXIMUMS)) {
    const value = Number(parameters.get(name) || NaN);
    const isWhole = !["truncation", "strength", "share"].includes(name);
    if (value >= (MINIMUMS[name] ?? 0) && value <= maximum && !(isWhole && value % 1)) state[name] = value;
  }
  if (COUNTS.includes(Number(parameters.get("count")))) state.count = Number(parameters.get("count"));
  const isStep = (step) => HOP.test(step) || (step[0] === "m" && step.slice(1).split(";").every((move) => MOVE.test(move)));
  state.hops = (parameters.get("hops") ?? "").split("~").filter(isStep).slice(0, MAX_STEPS).join("~");
  state.moved = (parameters.get("moved") ?? "").split("~").filter((move) => MOVE.test(move)).join("~");
  return state;
}

function writeState(state) {
  const changes = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name] && value !== null);
  return "#" + new URLSearchParams(changes);
}

const splitParts = (text, separator) => text.split(separator).filter(Boolean);
const readMoves = (text, separator) => splitParts(text, separator).map((move) => move.split(",").map(Number));

/**
 * List the steps from a picture of the grid to the picked picture. A step to a neighbor is {strength, index}. Edits of
 * the latent vector are {moves: [[position, value], ...]}.
 */
function readSteps({ hops, moved }) {
  const steps = splitParts(hops, "~").map((step) => {
    if (step[0] === "m") return { moves: readMoves(step.slice(1), ";") };
    const [, strength, index] = step.match(HOP);
    return { strength: Math.min(Number(strength), 1), index: Number(index) };
  });
  return [...steps, { moves: readMoves(moved, "~") }];
}

/** Return the state after a step to a neighbor. Earlier edits are kept. Null if there are too many steps. */
function withHop(state, index) {
  const edits = state.moved && `m${state.moved.replaceAll("~", ";")}`;
  const steps = [...splitParts(state.hops, "~"), edits, `${state.strength},${index}`].filter(Boolean);
  return steps.length > MAX_STEPS ? null : { ...state, hops: steps.join("~"), moved: "" };
}

/** Return the edits of the latent vector with one position set to a value. */
function withMove(state, position, value) {
  const others = readMoves(state.moved, "~").filter(([other]) => other !== position);
  return [...others, [position, value]].map((move) => move.join(",")).join("~");
}
