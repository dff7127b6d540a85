"use strict";
// Settings that show one thing each, and the values that the sliders can take.

const DEFAULTS = {
  data: "ring", seed: 1, batch: 128, speed: 4,
  loss: "bce", rateD: 0.005, rateG: 0.003, stepsD: 1, penalty: 0.01, momentum: 0.5, optimizerG: "adam",
  widthG: 24, widthD: 24, start: 1,
};

const PRESETS = {
  works: {
    title: "It works",
    settings: {},
    watch: "Watch G’s points find all eight clusters. D’s two mean answers come together near 0.5: D can only guess.",
  },
  collapse: {
    title: "Collapse",
    settings: { data: "two", seed: 4, speed: 1, rateG: 0.005, rateD: 0.01, stepsD: 0.1, penalty: 0, start: 0.5 },
    watch: "Watch “Clusters covered”. D learns only once per ten steps of G. " +
      "G crowds its points into one cluster, then jumps to the other, and never covers both.",
    cure: {
      title: "let D learn at every step, with a gradient penalty",
      settings: { stepsD: 1, penalty: 0.3 },
      watch: "D now answers each move of G before the points can crowd together. They spread over both clusters.",
    },
  },
  oscillate: {
    title: "Oscillation",
    settings: { data: "one", speed: 1, rateG: 0.01, rateD: 0.01, momentum: 0.9, penalty: 0, start: 0.2 },
    watch: "Watch G’s points swing around the data and never rest. " +
      "Each network overshoots its answer to the other’s last move.",
    cure: {
      title: "add a gradient penalty",
      settings: { penalty: 1 },
      watch: "The penalty keeps D’s field flat near the data. G’s points come to rest there.",
    },
  },
  saturate: {
    title: "Saturation",
    settings: {
      data: "one", loss: "minimax", optimizerG: "descent", speed: 1,
      rateD: 0.01, rateG: 0.002, stepsD: 5, penalty: 0, start: 0.1,
    },
    watch: "Watch “Length of G’s gradient”. D is so sure that G learns nothing: its points stay where they are.",
    cure: {
      title: "use the non-saturating loss",
      settings: { loss: "bce" },
      watch: "With −log D instead of log(1 − D), G’s gradient is large when D is sure. The points leave at once.",
    },
  },
  onlyD: {
    title: "Only D learns",
    settings: { data: "two", seed: 41, rateG: 0, rateD: 0.01, penalty: 0, start: 0.8 },
    watch: "G stands still. Watch D’s answer become p / (p + q), where p is the density of the data " +
      "and q that of G’s points. Choose that background to compare.",
  },
};

const FORMULAS = {
  bce: "D minimizes −log σ(real) − log(1 − σ(fake)). G minimizes −log σ(fake).",
  minimax: "D minimizes −log σ(real) − log(1 − σ(fake)). G minimizes log(1 − σ(fake)).",
  hinge: "D minimizes max(0, 1 − real) + max(0, 1 + fake). G minimizes −fake.",
  wasserstein: "D minimizes fake − real. G minimizes −fake. It needs the gradient penalty.",
  relativistic: "D minimizes −log σ(real − fake). G minimizes −log σ(fake − real).",
};

const RATES = [0, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05];
const rateText = (rate) => (rate === 0 ? "0 (stands still)" : String(rate));
const SLIDERS = {
  rateD: { values: RATES, text: rateText },
  rateG: { values: RATES, text: rateText },
  stepsD: {
    values: [0.1, 0.2, 0.5, 1, 2, 5, 10],
    text: (steps) => (steps < 1 ? `1 per ${Math.round(1 / steps)} steps of G` : String(steps)),
  },
  speed: { values: [1, 2, 4, 8, 16], text: String },
  penalty: { values: [0, 0.01, 0.03, 0.1, 0.3, 1, 3], text: (weight) => (weight === 0 ? "none" : String(weight)) },
  momentum: { values: [0, 0.5, 0.9], text: String },
};
