"use strict";
// Tensors, {shape, data}, and what moves their values about. Floats are float32, all integers int32.

const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);
const tensor = (shape, data) => ({ shape: [...shape], data });
const integers = (values) => tensor([values.length], Int32Array.from(values));
const axisOf = (axis, rank) => (axis < 0 ? axis + rank : axis);
const listed = (input, attribute) => Array.from(input ? input.data : attribute);

function stridesOf(shape) {
  const strides = Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Call visit(row, places) for each row along the last axis; a place is where it starts, by strides of its own. */
function eachRow(shape, allStrides, visit) {
  const outer = shape.slice(0, -1);
  const index = outer.map(() => 0);
  const places = allStrides.map(() => 0);
  const rows = sizeOf(outer);
  for (let row = 0; row < rows; row++) {
    visit(row, places);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      index[axis]++;
      for (let k = 0; k < places.length; k++) places[k] += allStrides[k][axis];
      if (index[axis] < outer[axis]) break;
      for (let k = 0; k < places.length; k++) places[k] -= allStrides[k][axis] * outer[axis];
      index[axis] = 0;
    }
  }
}

/** What lies in data from an offset on, at these strides, as a tensor of its own. */
function gathered(data, shape, strides, offset = 0) {
  if (!shape.length) return tensor([], data.slice(offset, offset + 1));
  const result = new data.constructor(sizeOf(shape));
  const length = shape.at(-1);
  const step = strides.at(-1);
  eachRow(shape, [strides], (row, [from]) => {
    for (let i = 0; i < length; i++) result[row * length + i] = data[offset + from + i * step];
  });
  return tensor(shape, result);
}

function broadcastShape(first, second) {
  const rank = Math.max(first.length, second.length);
  const padded = [first, second].map((shape) => [...Array(rank - shape.length).fill(1), ...shape]);
  return padded[0].map((length, axis) => (length === 1 ? padded[1][axis] : length));
}

/** Strides that walk over a larger shape and stand still on the axes that are repeated. */
function broadcastStrides(from, to) {
  const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
  return [...Array(to.length - from.length).fill(0), ...strides];
}

const plus = (one, two) => one + two;
const minus = (one, two) => one - two;
const times = (one, two) => one * two;

function combined(first, second, apply) {
  const shape = broadcastShape(first.shape, second.shape);
  const [one, two] = [first.shape, second.shape].map((from) => broadcastStrides(from, shape));
  const [a, b] = [first.data, second.data];
  const result = new a.constructor(sizeOf(shape));
  const [length, stepOne, stepTwo] = [shape.at(-1) ?? 1, one.at(-1) ?? 0, two.at(-1) ?? 0];
  eachRow(shape, [one, two], (row, [i, j]) => {
    const [start, end] = [row * length, (row + 1) * length];
    // Sums and products are most of a network's, and a call for each of their values would take longer than they do.
    if (apply === plus) for (let x = start; x < end; x++, i += stepOne, j += stepTwo) result[x] = a[i] + b[j];
    else if (apply === times) for (let x = start; x < end; x++, i += stepOne, j += stepTwo) result[x] = a[i] * b[j];
    else for (let x = start; x < end; x++, i += stepOne, j += stepTwo) result[x] = apply(a[i], b[j]);
  });
  return tensor(shape, result);
}

const elementwise = (apply) => ([first, ...rest]) => rest.reduce((sum, next) => combined(sum, next, apply), first);
const each = (apply) => ([x], attributes) => {
  const result = new x.data.constructor(x.data.length);
  for (let i = 0; i < result.length; i++) result[i] = apply(x.data[i], attributes);
  return tensor(x.shape, result);
};

/** The first tensor's values where the condition holds, the other's elsewhere. */
function chosen([condition, first, second]) {
  const all = [condition, first, second];
  const shape = all.map((one) => one.shape).reduce(broadcastShape);
  const [truths, ones, others] = all.map((one) => gathered(one.data, shape, broadcastStrides(one.shape, shape)).data);
  return tensor(shape, ones.map((value, index) => (truths[index] ? value : others[index])));
}

/** Tensors one after the other along an axis. */
function joined(parts, axis) {
  const shape = [...parts[0].shape];
  axis = axisOf(axis, shape.length);
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const result = new parts[0].data.constructor(sizeOf(shape));
  const whole = sizeOf(shape.slice(axis));
  let start = 0;
  for (const part of parts) {
    const block = sizeOf(part.shape.slice(axis));
    for (let from = 0, to = start; from < part.data.length; from += block, to += whole) {
      result.set(part.data.subarray(from, from + block), to);
    }
    start += block;
  }
  return tensor(shape, result);
}

function sliced([x, starts, ends, axes, steps]) {
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let offset = 0;
  listed(axes, [...starts.data.keys()]).forEach((given, index) => {
    const axis = axisOf(given, shape.length);
    const [length, step] = [x.shape[axis], steps ? steps.data[index] : 1];
    const inside = (place, low, high) => Math.min(Math.max(place < 0 ? place + length : place, low), high);
    const start = step > 0 ? inside(starts.data[index], 0, length) : inside(starts.data[index], 0, length - 1);
    const end = step > 0 ? inside(ends.data[index], 0, length) : inside(ends.data[index], -1, length - 1);
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis];
    strides[axis] *= step;
  });
  return gathered(x.data, shape, strides, offset);
}

function reshaped(x, wanted) {
  const shape = wanted.map((length, axis) => (length === 0 ? x.shape[axis] : length));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = -x.data.length / sizeOf(shape);
  return tensor(shape, x.data);
}

function taken([x, indexes], { axis = 0 }) {
  const at = axisOf(axis, x.shape.length);
  const [length, inner] = [x.shape[at], sizeOf(x.shape.slice(at + 1))];
  const [outer, count] = [sizeOf(x.shape.slice(0, at)), indexes.data.length];
  const result = new x.data.constructor(outer * count * inner);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < count; j++) {
      const from = (i * length + axisOf(indexes.data[j], length)) * inner;
      result.set(x.data.subarray(from, from + inner), (i * count + j) * inner);
    }
  }
  return tensor([...x.shape.slice(0, at), ...indexes.shape, ...x.shape.slice(at + 1)], result);
}

function oneHot([indexes, depth, values]) {
  const count = depth.data[0];
  const result = new values.data.constructor(indexes.data.length * count).fill(values.data[0]);
  indexes.data.forEach((value, index) => {
    if (value >= -count && value < count) result[index * count + axisOf(value, count)] = values.data[1];
  });
  return tensor([...indexes.shape, count], result);
}

const withAxes = (shape, axes) => {
  const result = [...shape];
  const rank = shape.length + axes.length;
  axes.map((axis) => axisOf(axis, rank)).sort((one, two) => one - two).forEach((axis) => result.splice(axis, 0, 1));
  return result;
};

function withoutAxes(shape, axes) {
  const dropped = axes ? axes.map((axis) => axisOf(axis, shape.length)) : shape.map((length, axis) => (length === 1 ? axis : -1));
  return shape.filter((_, axis) => !dropped.includes(axis));
}

function transposed(x, order) {
  const strides = stridesOf(x.shape);
  return gathered(x.data, order.map((axis) => x.shape[axis]), order.map((axis) => strides[axis]));
}

/** The largest value along some axes. */
function largest([x, given], { axes, keepdims = 1 }) {
  const every = [...x.shape.keys()];
  const dropped = listed(given, axes ?? every).map((axis) => axisOf(axis, x.shape.length));
  const kept = every.filter((axis) => !dropped.includes(axis));
  const { data } = transposed(x, [...kept, ...dropped]);
  const count = sizeOf(dropped.map((axis) => x.shape[axis]));
  const result = data.filter((_, index) => index % count === 0);
  data.forEach((value, index) => {
    const at = Math.floor(index / count);
    if (value > result[at]) result[at] = value;
  });
  const shape = x.shape.map((length, axis) => (dropped.includes(axis) ? 1 : length));
  return tensor(keepdims ? shape : kept.map((axis) => shape[axis]), result);
}

/** By channel: gain · x + shift, from the moving statistics. */
function normalised([x, gain, shift, mean, variance], { epsilon = 1e-5 }) {
  const [, channels, ...rest] = x.shape;
  const area = sizeOf(rest);
  const factors = gain.data.map((value, channel) => value / Math.sqrt(variance.data[channel] + epsilon));
  const result = x.data.map((value, index) => {
    const channel = Math.floor(index / area) % channels;
    return (value - mean.data[channel]) * factors[channel] + shift.data[channel];
  });
  return tensor(x.shape, result);
}

/** What reading the attribute's words means: the place in the old picture of a pixel of the new one. */
const COORDINATES = {
  asymmetric: (i, scale) => i / scale,
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, scale, length) => (length > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, scale, length, old) => (length > 1 ? (i * (old - 1)) / (length - 1) : 0),
};
const ROUNDINGS = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
};

/** Resized along one axis. */
function resampled(x, axis, length, scale, attributes) {
  const old = x.shape[axis];
  const place = COORDINATES[attributes.coordinate_transformation_mode ?? "half_pixel"];
  const rounding = attributes.mode === "linear" ? Math.floor : ROUNDINGS[attributes.nearest_mode ?? "round_prefer_floor"];
  const places = Array.from({ length }, (_, i) => place(i, scale, length, old));
  const kept = (indexes) => integers(indexes.map((i) => Math.min(Math.max(i, 0), old - 1)));
  const near = taken([x, kept(places.map(rounding))], { axis });
  if (attributes.mode !== "linear") return near;
  const far = taken([x, kept(places.map((p) => Math.floor(p) + 1))], { axis });
  const shares = tensor([length, ...x.shape.slice(axis + 1).fill(1)], Float32Array.from(places, (p) => p - Math.floor(p)));
  return combined(near, combined(combined(far, near, minus), shares, times), plus);
}

function resized([x, , scales, sizes], attributes) {
  return x.shape.reduce((result, old, axis) => {
    const length = sizes ? sizes.data[axis] : Math.floor(old * scales.data[axis]);
    const scale = sizes ? length / old : scales.data[axis];
    return scale === 1 ? result : resampled(result, axis, length, scale, attributes);
  }, x);
}

