"use strict";
// Tensors, {shape, data}, and operators that move or combine their values. Floats are float32, integers int32.

const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);
const tensor = (shape, data) => ({ shape: [...shape], data });
const integers = (values) => tensor([values.length], Int32Array.from(values));
const positiveAxis = (axis, rank) => (axis < 0 ? axis + rank : axis);
/** Read a list that an operator takes as an input or as an attribute. */
const toArray = (input, attribute) => Array.from(input ? input.data : attribute);

function stridesOf(shape) {
  const strides = Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Call visit(row, starts) for each row along the last axis. There is one start for each list in allStrides. */
function eachRow(shape, allStrides, visit) {
  const outer = shape.slice(0, -1);
  const index = outer.map(() => 0);
  const starts = allStrides.map(() => 0);
  const rows = sizeOf(outer);
  for (let row = 0; row < rows; row++) {
    visit(row, starts);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      index[axis]++;
      for (let k = 0; k < starts.length; k++) starts[k] += allStrides[k][axis];
      if (index[axis] < outer[axis]) break;
      for (let k = 0; k < starts.length; k++) starts[k] -= allStrides[k][axis] * outer[axis];
      index[axis] = 0;
    }
  }
}

/** Copy the values at an offset and at these strides into a tensor of their own. */
function stridedCopy(data, shape, strides, offset = 0) {
  if (!shape.length) return tensor([], data.slice(offset, offset + 1));
  const result = new data.constructor(sizeOf(shape));
  const length = shape.at(-1);
  const step = strides.at(-1);
  eachRow(shape, [strides], (row, [start]) => {
    for (let i = 0; i < length; i++) result[row * length + i] = data[offset + start + i * step];
  });
  return tensor(shape, result);
}

function broadcastShape(first, second) {
  const rank = Math.max(first.length, second.length);
  const padded = [first, second].map((shape) => [...Array(rank - shape.length).fill(1), ...shape]);
  return padded[0].map((length, axis) => (length === 1 ? padded[1][axis] : length));
}

/** Strides that read a tensor in a larger shape. They are 0 along repeated axes. */
function broadcastStrides(shape, largerShape) {
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  return [...Array(largerShape.length - shape.length).fill(0), ...strides];
}

const add = (x, y) => x + y;
const subtract = (x, y) => x - y;
const multiply = (x, y) => x * y;

/** Apply a function to each pair of values of two tensors, which are broadcast to a common shape. */
function broadcast(first, second, apply) {
  const shape = broadcastShape(first.shape, second.shape);
  const [firstStrides, secondStrides] = [first.shape, second.shape].map((input) => broadcastStrides(input, shape));
  const [a, b] = [first.data, second.data];
  const result = new a.constructor(sizeOf(shape));
  const [length, stepA, stepB] = [shape.at(-1) ?? 1, firstStrides.at(-1) ?? 0, secondStrides.at(-1) ?? 0];
  eachRow(shape, [firstStrides, secondStrides], (row, [i, j]) => {
    const [start, end] = [row * length, (row + 1) * length];
    // A network mostly adds and multiplies. A function call for each value would take longer than the operation.
    if (apply === add) for (let x = start; x < end; x++, i += stepA, j += stepB) result[x] = a[i] + b[j];
    else if (apply === multiply) for (let x = start; x < end; x++, i += stepA, j += stepB) result[x] = a[i] * b[j];
    else for (let x = start; x < end; x++, i += stepA, j += stepB) result[x] = apply(a[i], b[j]);
  });
  return tensor(shape, result);
}

/** Make an operator that applies a function to each value of one tensor. */
const elementwise = (apply) => ([x], attributes) => {
  const result = new x.data.constructor(x.data.length);
  for (let i = 0; i < result.length; i++) result[i] = apply(x.data[i], attributes);
  return tensor(x.shape, result);
};
/** Make an operator that combines one or more tensors by a function of two values. */
const elementwiseAll = (apply) => ([first, ...rest]) => rest.reduce((result, next) => broadcast(result, next, apply), first);

/** Take the first tensor's values where the condition holds, and the second tensor's values elsewhere. */
function where([condition, first, second]) {
  const inputs = [condition, first, second];
  const shape = inputs.map((input) => input.shape).reduce(broadcastShape);
  const [conditions, firstValues, secondValues] = inputs.map(
    (input) => stridedCopy(input.data, shape, broadcastStrides(input.shape, shape)).data,
  );
  return tensor(shape, firstValues.map((value, index) => (conditions[index] ? value : secondValues[index])));
}

function concatenate(parts, axis) {
  const shape = [...parts[0].shape];
  axis = positiveAxis(axis, shape.length);
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const result = new parts[0].data.constructor(sizeOf(shape));
  const step = sizeOf(shape.slice(axis));
  let start = 0;
  for (const part of parts) {
    const block = sizeOf(part.shape.slice(axis));
    for (let source = 0, target = start; source < part.data.length; source += block, target += step) {
      result.set(part.data.subarray(source, source + block), target);
    }
    start += block;
  }
  return tensor(shape, result);
}

function slice([x, starts, ends, axes, steps]) {
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let offset = 0;
  toArray(axes, [...starts.data.keys()]).forEach((axisInput, index) => {
    const axis = positiveAxis(axisInput, shape.length);
    const [length, step] = [x.shape[axis], steps ? steps.data[index] : 1];
    const clamp = (position, low, high) => Math.min(Math.max(position < 0 ? position + length : position, low), high);
    const start = step > 0 ? clamp(starts.data[index], 0, length) : clamp(starts.data[index], 0, length - 1);
    const end = step > 0 ? clamp(ends.data[index], 0, length) : clamp(ends.data[index], -1, length - 1);
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis];
    strides[axis] *= step;
  });
  return stridedCopy(x.data, shape, strides, offset);
}

/** Change the shape. A length of 0 keeps that axis, and -1 is computed from the others. */
function reshape(x, newShape) {
  const shape = newShape.map((length, axis) => (length === 0 ? x.shape[axis] : length));
  const inferred = shape.indexOf(-1);
  if (inferred >= 0) shape[inferred] = -x.data.length / sizeOf(shape);
  return tensor(shape, x.data);
}

function gather([x, indices], { axis: axisInput = 0 }) {
  const axis = positiveAxis(axisInput, x.shape.length);
  const [length, inner] = [x.shape[axis], sizeOf(x.shape.slice(axis + 1))];
  const [outer, count] = [sizeOf(x.shape.slice(0, axis)), indices.data.length];
  const result = new x.data.constructor(outer * count * inner);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < count; j++) {
      const start = (i * length + positiveAxis(indices.data[j], length)) * inner;
      result.set(x.data.subarray(start, start + inner), (i * count + j) * inner);
    }
  }
  return tensor([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], result);
}

function oneHot([indices, depth, values]) {
  const count = depth.data[0];
  const result = new values.data.constructor(indices.data.length * count).fill(values.data[0]);
  indices.data.forEach((value, index) => {
    if (value >= -count && value < count) result[index * count + positiveAxis(value, count)] = values.data[1];
  });
  return tensor([...indices.shape, count], result);
}

const withAxes = (shape, axes) => {
  const result = [...shape];
  const rank = shape.length + axes.length;
  axes.map((axis) => positiveAxis(axis, rank)).sort((a, b) => a - b).forEach((axis) => result.splice(axis, 0, 1));
  return result;
};

function withoutAxes(shape, axes) {
  const dropped = axes
    ? axes.map((axis) => positiveAxis(axis, shape.length))
    : shape.map((length, axis) => (length === 1 ? axis : -1));
  return shape.filter((_, axis) => !dropped.includes(axis));
}

function transpose(x, order) {
  const strides = stridesOf(x.shape);
  return stridedCopy(x.data, order.map((axis) => x.shape[axis]), order.map((axis) => strides[axis]));
}

function reduceMax([x, axesInput], { axes, keepdims = 1 }) {
  const allAxes = [...x.shape.keys()];
  const dropped = toArray(axesInput, axes ?? allAxes).map((axis) => positiveAxis(axis, x.shape.length));
  const remaining = allAxes.filter((axis) => !dropped.includes(axis));
  const { data } = transpose(x, [...remaining, ...dropped]);
  const count = sizeOf(dropped.map((axis) => x.shape[axis]));
  const result = data.filter((_, index) => index % count === 0);
  data.forEach((value, index) => {
    const group = Math.floor(index / count);
    if (value > result[group]) result[group] = value;
  });
  const shape = x.shape.map((length, axis) => (dropped.includes(axis) ? 1 : length));
  return tensor(keepdims ? shape : remaining.map((axis) => shape[axis]), result);
}

/** Batch normalization by the moving statistics of each channel: scale · (x − mean) / √(variance + ε) + shift. */
function batchNormalization([x, scale, shift, mean, variance], { epsilon = 1e-5 }) {
  const [, channels, ...rest] = x.shape;
  const area = sizeOf(rest);
  const factors = scale.data.map((value, channel) => value / Math.sqrt(variance.data[channel] + epsilon));
  const result = x.data.map((value, index) => {
    const channel = Math.floor(index / area) % channels;
    return (value - mean.data[channel]) * factors[channel] + shift.data[channel];
  });
  return tensor(x.shape, result);
}

/** The values of coordinate_transformation_mode: from a pixel's index after resizing to its position before. */
const COORDINATES = {
  asymmetric: (i, scale) => i / scale,
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, scale, length) => (length > 1 ? (i + 0.5) / scale - 0.5 : 0),
  align_corners: (i, scale, length, oldLength) => (length > 1 ? (i * (oldLength - 1)) / (length - 1) : 0),
};
const ROUNDINGS = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
};

function resizeAxis(x, axis, length, scale, attributes) {
  const oldLength = x.shape[axis];
  const toPosition = COORDINATES[attributes.coordinate_transformation_mode ?? "half_pixel"];
  const round = attributes.mode === "linear" ? Math.floor : ROUNDINGS[attributes.nearest_mode ?? "round_prefer_floor"];
  const positions = Array.from({ length }, (_, i) => toPosition(i, scale, length, oldLength));
  const clamp = (indices) => integers(indices.map((i) => Math.min(Math.max(i, 0), oldLength - 1)));
  const lower = gather([x, clamp(positions.map(round))], { axis });
  if (attributes.mode !== "linear") return lower;
  const upper = gather([x, clamp(positions.map((p) => Math.floor(p) + 1))], { axis });
  const shares = tensor([length, ...x.shape.slice(axis + 1).fill(1)], Float32Array.from(positions, (p) => p - Math.floor(p)));
  return broadcast(lower, broadcast(broadcast(upper, lower, subtract), shares, multiply), add);
}

function resize([x, , scales, sizes], attributes) {
  return x.shape.reduce((result, oldLength, axis) => {
    const length = sizes ? sizes.data[axis] : Math.floor(oldLength * scales.data[axis]);
    const scale = sizes ? length / oldLength : scales.data[axis];
    return scale === 1 ? result : resizeAxis(result, axis, length, scale, attributes);
  }, x);
}
