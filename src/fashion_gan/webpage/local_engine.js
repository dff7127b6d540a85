"use strict";
// Draws inside the page. It has the same methods as the engine in server_engine.js.

/**
 * Generate Gaussian numbers that depend only on the seed. Uniform numbers come from Steele, Lea & Flood 2014, and pairs
 * of them become Gaussian by Box & Muller 1958.
 */
function* gaussians(seed) {
  let state = Math.imul(seed, 0x9e3779b9) ^ 0x243f6a88;
  const uniform = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
  while (true) {
    const length = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    yield length * Math.cos(angle);
    yield length * Math.sin(angle);
  }
}

/** Interpolate between two latent vectors along the sphere near which Gaussian vectors lie. */
function interpolate(first, second, share) {
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const lengths = Math.sqrt(dot(first, first) * dot(second, second));
  const angle = lengths ? Math.acos(Math.min(Math.max(dot(first, second) / lengths, -1), 1)) : 0;
  const isLinear = Math.sin(angle) < 1e-4;
  const firstWeight = isLinear ? 1 - share : Math.sin((1 - share) * angle) / Math.sin(angle);
  const secondWeight = isLinear ? share : Math.sin(share * angle) / Math.sin(angle);
  return first.map((value, i) => firstWeight * value + secondWeight * second[i]);
}

class LocalEngine {
  constructor(about, network) {
    this.about = about;
    this.network = network;
    this.dim = about.latent_dim;
  }

  async draw({ seed, count, label, truncation }) {
    const classes = this.about.class_names.length;
    const labels = Array.from({ length: count }, (_, i) => label ?? (classes ? i % classes : null));
    return this._pictures(this._noise(seed, count).map((value) => value * truncation), labels);
  }

  async vary({ latent, label, strength, count, seed }) {
    const latentWeight = Math.sqrt(1 - strength ** 2);
    const latents = this._noise(seed, count).map((value, i) => latentWeight * latent[i % this.dim] + strength * value);
    return this._pictures(latents, Array(count).fill(label));
  }

  async walk({ first, second, labels, frames }) {
    const latents = new Float32Array(frames * this.dim);
    const shares = Array.from({ length: frames }, (_, i) => i / (frames - 1));
    shares.forEach((share, i) => latents.set(interpolate(first, second, share), i * this.dim));
    return this._pictures(latents, shares.map((share) => labels[share < 0.5 ? 0 : 1]));
  }

  async decode({ latents, labels }) {
    return this._pictures(latents, labels);
  }

  _noise(seed, count) {
    const numbers = gaussians(seed);
    return Float32Array.from({ length: count * this.dim }, () => numbers.next().value);
  }

  _pictures(latents, labels) {
    const count = latents.length / this.dim;
    const inputs = { latents: tensor([count, this.dim], latents) };
    if (this.about.class_names.length) inputs.labels = integers(labels);
    // This type of array rounds to the nearest level and clips to [0, 255].
    const pixels = Uint8ClampedArray.from(this.network.run(inputs).data, (value) => value * 127.5 + 127.5);
    return { count, latents, labels, pixels };
  }
}

/** Open the engine of a page that contains its weights. */
function openEngine(about) {
  const read = (id) => document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(read("weights")), (letter) => letter.charCodeAt(0));
  return new LocalEngine(about, new Network(JSON.parse(read("graph")), bytes.buffer));
}
