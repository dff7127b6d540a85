"use strict";
// What is shown, as the address bar holds it: a link shows the same pictures.

const DEFAULTS = {
  label: null, seed: 0, truncation: 1, count: 16, picked: null, hops: "", strength: 0.3, moved: "", second: null, share: 0.5,
};
const LARGEST = { label: 1000, seed: 2 ** 31 - 1, truncation: 1.5, count: 64, picked: 63, strength: 1, second: 63, share: 1 };
const SMALLEST = { truncation: 0.05, count: 1 };
const HOP = /^(\d(?:\.\d+)?),(\d+)$/; // a strength, and which of the neighbours
const MOST_HOPS = 30;

/** The state of an address's part after #; what is missing or makes no sense is as by default. */
function readState(text) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const state = { ...DEFAULTS };
  for (const [name, largest] of Object.entries(LARGEST)) {
    const value = Number(given.get(name) || NaN);
    const whole = !["truncation", "strength", "share"].includes(name);
    if (value >= (SMALLEST[name] ?? 0) && value <= largest && !(whole && value % 1)) state[name] = value;
  }
  state.hops = (given.get("hops") ?? "").split("~").filter((hop) => HOP.test(hop)).slice(0, MOST_HOPS).join("~");
  state.moved = (given.get("moved") ?? "").split("~").filter((move) => /^\d+,-?\d(\.\d+)?$/.test(move)).join("~");
  return state;
}

function writeState(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name] && value !== null);
  return "#" + new URLSearchParams(changed);
}

/** The steps from a picture of the grid over neighbours: [{strength, index}, …]. */
const readHops = (state) => state.hops.split("~").filter(Boolean).map((hop) => {
  const [, strength, index] = hop.match(HOP);
  return { strength: Math.min(Number(strength), 1), index: Number(index) };
});

/** The latents' numbers that were moved by hand: [[which, value], …]. */
const readMoves = (state) => state.moved.split("~").filter(Boolean).map((move) => move.split(",").map(Number));

function withMove(state, which, value) {
  const others = readMoves(state).filter(([other]) => other !== which);
  return [...others, [which, value]].map((move) => move.join(",")).join("~");
}
