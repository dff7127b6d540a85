"use strict";
// The distributions that G has to learn, and numbers that say how well a sample fits them.

const EDGE = 2.4; // the picture shows both coordinates from -EDGE to EDGE

/** A mixture of equally likely round Gaussians, called spots. */
class Mixture {
  constructor(spots, spread, unit) { Object.assign(this, { spots, spread, unit }); }

  sample(random, count) {
    const points = new Float64Array(2 * count);
    for (let i = 0; i < count; i++) {
      const [x, y] = this.spots[Math.floor(random.uniform() * this.spots.length)] ?? [0, 0];
      points[2 * i] = x + this.spread * random.normal();
      points[2 * i + 1] = y + this.spread * random.normal();
    }
    return points;
  }
}

const around = (count, radius) => Array.from({ length: count }, (_, k) => {
  const angle = (2 * Math.PI * k) / count;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
const spiral = (count) => Array.from({ length: count }, (_, k) => {
  const share = (k + 4) / (count + 4);
  return [1.9 * share * Math.cos(10 * share), 1.9 * share * Math.sin(10 * share)];
});
const lattice = (side, gap) => Array.from({ length: side * side }, (_, k) => [
  ((k % side) - (side - 1) / 2) * gap, (Math.floor(k / side) - (side - 1) / 2) * gap,
]);

const DISTRIBUTIONS = {
  one: () => new Mixture([[1.2, 1]], 0.25, "cluster"),
  two: () => new Mixture([[-1.2, 0], [1.2, 0]], 0.2, "cluster"),
  ring: () => new Mixture(around(8, 1.7), 0.12, "cluster"),
  grid: () => new Mixture(lattice(4, 1.05), 0.1, "cluster"),
  spiral: () => new Mixture(spiral(40), 0.08, "part"),
  paint: () => new Mixture([], 0.12, "part"),
};

const REACH = 3; // A sample is on a spot if it lies within this number of spreads.
const FAIR = 0.25; // A spot is covered if it has at least this part of its fair share of the samples.

/** How many spots a sample covers, and which part of the sample is on any spot. */
function coverage(data, points) {
  const hits = new Float64Array(data.spots.length);
  const count = points.length / 2;
  let good = 0;
  for (let i = 0; i < count; i++) {
    const distances = data.spots.map(([x, y]) => (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2);
    const nearest = distances.indexOf(Math.min(...distances));
    if (!(distances[nearest] <= (REACH * data.spread) ** 2)) continue; // NaN is on no spot.
    good++;
    hits[nearest]++;
  }
  const enough = (FAIR * count) / data.spots.length;
  return { covered: hits.filter((number) => number >= enough).length, spots: data.spots.length, good: good / count };
}

/**
 * The sliced Wasserstein distance of two samples of one size: how far points must move to turn one sample into the
 * other, seen along eight directions.
 */
function distance(first, second, directions = 8) {
  let sum = 0;
  for (let k = 0; k < directions; k++) {
    const [x, y] = [Math.cos((Math.PI * k) / directions), Math.sin((Math.PI * k) / directions)];
    const [a, b] = [first, second].map((points) => {
      return points.filter((_, i) => i % 2 === 0).map((across, i) => x * across + y * points[2 * i + 1]).sort();
    });
    sum += mean(a.map((number, i) => Math.abs(number - b[i])));
  }
  return sum / directions;
}
