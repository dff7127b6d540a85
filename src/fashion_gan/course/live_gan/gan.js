"use strict";
// A GAN for points in the plane: two small networks, their losses, their gradients and their optimizer.
// Everything is written out. The file needs no library and no page.

const SLOPE = 0.2; // of the leaky ReLU, for negative numbers

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
/** log(1 + exp(x)) without overflow. It is −log σ(−x), so softplus(-x) is −log σ(x). */
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Random numbers from a seed. The same seed gives the same numbers on every computer. */
class Random {
  constructor(seed) { this.state = seed >>> 0; }

  /** A uniform number, 0 to 1 (mulberry32). */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = this.state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number from the standard normal distribution (Box and Muller). */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  normals(count) { return Float64Array.from({ length: count }, () => this.normal()); }
}

/** One dense layer: output = input · weights + biases. */
class Dense {
  constructor(inputs, outputs, random) {
    Object.assign(this, { inputs, outputs });
    this.weights = random.normals(inputs * outputs).map((number) => number * Math.sqrt(2 / inputs)); // He et al. 2015
    this.biases = new Float64Array(outputs);
    this.weightGradients = new Float64Array(inputs * outputs);
    this.biasGradients = new Float64Array(outputs);
  }

  /** Takes two rows at a time (their number is even), because the processor can add to two sums at once. */
  forward(input) {
    const { inputs, outputs, weights, biases } = this;
    const rows = input.length / inputs;
    const output = new Float64Array(rows * outputs);
    for (let o = 0; o < outputs; o++) {
      for (let row = 0; row < rows; row += 2) {
        let [first, second] = [biases[o], biases[o]];
        const start = row * inputs;
        for (let i = 0; i < inputs; i++) {
          const weight = weights[i * outputs + o];
          first += input[start + i] * weight;
          second += input[start + inputs + i] * weight;
        }
        output[row * outputs + o] = first;
        output[(row + 1) * outputs + o] = second;
      }
    }
    return output;
  }

  /**
   * Back-propagation through the layer: from ∂loss/∂output to ∂loss/∂input. The gradients of the weights and of the
   * biases are added to those that are already there.
   */
  backward(input, outputGradient) {
    const { inputs, outputs, weights, weightGradients, biasGradients } = this;
    const rows = input.length / inputs;
    const inputGradient = new Float64Array(rows * inputs);
    for (let row = 0; row < rows; row++) {
      const start = row * outputs;
      for (let o = 0; o < outputs; o++) biasGradients[o] += outputGradient[start + o];
      for (let i = 0; i < inputs; i++) {
        const value = input[row * inputs + i];
        let sum = 0;
        for (let o = 0; o < outputs; o++) {
          const gradient = outputGradient[start + o];
          weightGradients[i * outputs + o] += value * gradient;
          sum += weights[i * outputs + o] * gradient;
        }
        inputGradient[row * inputs + i] = sum;
      }
    }
    return inputGradient;
  }
}

function leakyRelu(numbers) {
  const result = new Float64Array(numbers.length);
  for (let k = 0; k < numbers.length; k++) result[k] = numbers[k] > 0 ? numbers[k] : SLOPE * numbers[k];
  return result;
}

/** Dense layers with a leaky ReLU between them. The last layer's output is the network's. */
class Network {
  constructor(sizes, random) {
    this.layers = sizes.slice(1).map((size, index) => new Dense(sizes[index], size, random));
  }

  /** Compute the outputs of a batch, and what `backward` needs: the inputs of all layers. */
  run(batch) {
    const inputs = [batch];
    for (const layer of this.layers) {
      const output = layer.forward(inputs.at(-1));
      if (layer === this.layers.at(-1)) return { inputs, output };
      inputs.push(leakyRelu(output));
    }
  }

  /** From ∂loss/∂output to ∂loss/∂batch, layer by layer from the last to the first. Adds to all gradients. */
  backward({ inputs }, outputGradient) {
    let gradient = outputGradient;
    for (let l = this.layers.length - 1; l >= 0; l--) {
      gradient = this.layers[l].backward(inputs[l], gradient);
      // Before layer l stands a leaky ReLU. It keeps the sign, so its output tells its slope.
      if (l > 0) for (let k = 0; k < gradient.length; k++) if (inputs[l][k] <= 0) gradient[k] *= SLOPE;
    }
    return gradient;
  }

  /** The weights and biases of all layers, each with its gradients. */
  parameters() {
    return this.layers.flatMap((layer) => [
      { values: layer.weights, gradients: layer.weightGradients },
      { values: layer.biases, gradients: layer.biasGradients },
    ]);
  }

  clearGradients() { for (const { gradients } of this.parameters()) gradients.fill(0); }

  gradientNorm() {
    return Math.sqrt(this.parameters().reduce((sum, { gradients }) => sum + gradients.reduce((s, g) => s + g * g, 0), 0));
  }
}

/** Plain gradient descent: each number moves against its gradient. */
class Descent {
  constructor(network) { this.network = network; }

  update(rate) {
    for (const { values, gradients } of this.network.parameters()) {
      for (let k = 0; k < values.length; k++) values[k] -= rate * gradients[k];
    }
  }
}

/** The optimizer Adam (Kingma & Ba 2015). */
class Adam {
  constructor(network) {
    this.network = network;
    this.steps = 0;
    this.moments = network.parameters().map(({ values }) => [new Float64Array(values.length), new Float64Array(values.length)]);
  }

  update(rate, momentum, decay = 0.99, epsilon = 1e-7) {
    this.steps++;
    const meanCorrection = 1 / (1 - momentum ** this.steps);
    const squareCorrection = 1 / (1 - decay ** this.steps);
    this.network.parameters().forEach(({ values, gradients }, index) => {
      const [mean, square] = this.moments[index];
      for (let k = 0; k < values.length; k++) {
        mean[k] = momentum * mean[k] + (1 - momentum) * gradients[k];
        square[k] = decay * square[k] + (1 - decay) * gradients[k] ** 2;
        values[k] -= (rate * mean[k] * meanCorrection) / (Math.sqrt(square[k] * squareCorrection) + epsilon);
      }
    });
  }
}

/**
 * The losses of one real and one generated point. `real` and `fake` are D's logits of them: σ(logit) is D's probability
 * that the point is real. `atReal` and `atFake` are the derivatives of D's loss, `toFake` is that of G's loss.
 */
const LOSSES = {
  bce: {
    discriminator: (real, fake) => softplus(-real) + softplus(fake), // −log σ(real) − log(1 − σ(fake))
    atReal: (real, fake) => -sigmoid(-real),
    atFake: (real, fake) => sigmoid(fake),
    generator: (real, fake) => softplus(-fake), // −log σ(fake)
    toFake: (real, fake) => -sigmoid(-fake),
  },
  minimax: {
    discriminator: (real, fake) => softplus(-real) + softplus(fake),
    atReal: (real, fake) => -sigmoid(-real),
    atFake: (real, fake) => sigmoid(fake),
    generator: (real, fake) => -softplus(fake), // log(1 − σ(fake))
    toFake: (real, fake) => -sigmoid(fake),
  },
  hinge: {
    discriminator: (real, fake) => Math.max(0, 1 - real) + Math.max(0, 1 + fake),
    atReal: (real, fake) => (real < 1 ? -1 : 0),
    atFake: (real, fake) => (fake > -1 ? 1 : 0),
    generator: (real, fake) => -fake,
    toFake: (real, fake) => -1,
  },
  wasserstein: {
    discriminator: (real, fake) => fake - real,
    atReal: (real, fake) => -1,
    atFake: (real, fake) => 1,
    generator: (real, fake) => -fake,
    toFake: (real, fake) => -1,
  },
  relativistic: {
    pairs: true,
    discriminator: (real, fake) => softplus(fake - real), // −log σ(real − fake)
    atReal: (real, fake) => -sigmoid(fake - real),
    atFake: (real, fake) => sigmoid(fake - real),
    generator: (real, fake) => softplus(real - fake), // −log σ(fake − real)
    toFake: (real, fake) => -sigmoid(real - fake),
  },
};

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const PENALTY_STEP = 0.05; // the length of the steps on which the gradient penalty measures D's slope

/** D's mean loss on two batches. Leaves its gradients in D. `noise` holds the directions of the gradient penalty. */
function discriminatorLoss(D, real, fake, noise, { loss, penalty }) {
  const formulas = LOSSES[loss];
  const atReal = D.run(real);
  const atFake = D.run(fake);
  const [r, f] = [atReal.output, atFake.output];
  const byReal = r.map((_, i) => formulas.atReal(r[i], f[i]) / r.length); // ∂loss/∂r
  const byFake = f.map((_, i) => formulas.atFake(r[i], f[i]) / f.length);
  D.clearGradients();
  const steepness = penalty > 0 ? gradientPenalty(D, real, r, byReal, noise, penalty) : 0;
  D.backward(atReal, byReal);
  D.backward(atFake, byFake);
  const value = mean(r.map((_, i) => formulas.discriminator(r[i], f[i])));
  return { loss: value + steepness, real: mean(r.map(sigmoid)), fake: mean(f.map(sigmoid)) };
}

/**
 * The R1 penalty: weight · the mean of (D's slope at a real point)², measured along a random direction. It keeps D's
 * field flat around the data. Adds its part of ∂loss/∂r to `byReal`, and the rest of its gradients to D's.
 */
function gradientPenalty(D, real, r, byReal, noise, weight) {
  const nearby = D.run(real.map((number, k) => number + PENALTY_STEP * noise[k]));
  const slopes = r.map((logit, i) => (nearby.output[i] - logit) / PENALTY_STEP);
  const bySlope = slopes.map((slope) => (2 * weight * slope) / slopes.length);
  bySlope.forEach((number, i) => { byReal[i] -= number / PENALTY_STEP; });
  D.backward(nearby, bySlope.map((number) => number / PENALTY_STEP));
  return weight * mean(slopes.map((slope) => slope ** 2));
}

/**
 * G's mean loss on a batch of latent points. Leaves its gradients in G. `pull` is −∂loss/∂sample for each sample: the
 * direction in which the loss of the sample falls fastest.
 */
function generatorLoss(G, D, latents, real, { loss }) {
  const formulas = LOSSES[loss];
  const samples = G.run(latents);
  const atFake = D.run(samples.output);
  const f = atFake.output;
  const r = formulas.pairs ? D.run(real).output : f; // Only a loss of pairs looks at the real points.
  const byLogit = f.map((_, i) => formulas.toFake(r[i], f[i]));
  const bySample = D.backward(atFake, byLogit); // D's own gradients change too. They are cleared before D learns.
  G.clearGradients();
  G.backward(samples, bySample.map((number) => number / f.length));
  return {
    loss: mean(r.map((_, i) => formulas.generator(r[i], f[i]))),
    samples: samples.output,
    pull: bySample.map((number) => -number),
  };
}

/** The game: G makes points from random ones, and D learns to tell them from the data. */
class Gan {
  /** `data` has a method sample(random, count). `settings` are those of a preset; they may change at any time. */
  constructor(data, settings) {
    Object.assign(this, { data, settings });
    this.random = new Random(settings.seed);
    const { widthG, widthD } = settings;
    this.G = new Network([2, widthG, widthG, 2], this.random);
    this.G.layers.at(-1).weights.forEach((number, k, weights) => { weights[k] = settings.start * number; });
    this.D = new Network([2, widthD, widthD, 1], this.random);
    this.optimizerG = settings.optimizerG === "adam" ? new Adam(this.G) : new Descent(this.G);
    this.optimizerD = new Adam(this.D);
    this.steps = 0; // of G
    this.owed = 0; // steps that D has still to make
    this.last = { lossD: 0, lossG: 0, real: 0.5, fake: 0.5, gradientNorm: 0 };
  }

  latents() { return this.random.normals(2 * this.settings.batch); }
  real() { return this.data.sample(this.random, this.settings.batch); }
  generate(latents) { return this.G.run(latents).output; }

  /** One step of D: G stands still. */
  learnD() {
    const real = this.real();
    const fake = this.generate(this.latents());
    const noise = this.settings.penalty > 0 ? this.random.normals(real.length) : null;
    const { loss, ...answers } = discriminatorLoss(this.D, real, fake, noise, this.settings);
    this.optimizerD.update(this.settings.rateD, this.settings.momentum);
    Object.assign(this.last, { lossD: loss, ...answers });
  }

  /** One step of G: D stands still. */
  learnG() {
    const { loss } = generatorLoss(this.G, this.D, this.latents(), this.real(), this.settings);
    this.optimizerG.update(this.settings.rateG, this.settings.momentum);
    Object.assign(this.last, { lossG: loss, gradientNorm: this.G.gradientNorm() });
    this.steps++;
  }

  /** D's steps before the next step of G. `stepsD` = 0.2 means one step of D per five steps of G. */
  learnsD() {
    this.owed += this.settings.stepsD;
    for (; this.owed > 0.999; this.owed--) this.learnD();
  }

  step() {
    this.learnsD();
    this.learnG();
  }
}
