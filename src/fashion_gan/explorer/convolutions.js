"use strict";
// Matrix products and convolutions of tensors.

const products = new MatrixProduct();

/** left (rows, depth) · right (depth, columns), both as plain arrays; returns the columns that are asked for alone. */
function matrixProduct(left, rows, depth, right, columns) {
  const room = products.prepare(left, rows, depth, columns);
  for (let l = 0; l < depth; l++) room.right.set(right.subarray(l * columns, (l + 1) * columns), l * room.width);
  return withoutPadding(products.multiply(), rows, room.width, columns);
}

function withoutPadding(result, rows, width, columns) {
  const trimmed = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) trimmed.set(result.subarray(row * width, row * width + columns), row * columns);
  return trimmed;
}

/** a · b; where b has more than two axes, each of its matrices with the one of a that stands at the same place. */
function matMul([a, b]) {
  const [depth, columns] = b.shape.slice(-2);
  const count = sizeOf(b.shape.slice(0, -2));
  const rows = a.data.length / depth / count;
  const result = new Float32Array(count * rows * columns);
  for (let i = 0; i < count; i++) {
    const left = a.data.subarray(i * rows * depth, (i + 1) * rows * depth);
    const right = b.data.subarray(i * depth * columns, (i + 1) * depth * columns);
    result.set(matrixProduct(left, rows, depth, right, columns), i * rows * columns);
  }
  return tensor([...a.shape.slice(0, -1), columns], result);
}

function gemm([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) {
  const product = matMul([transA ? transposed(a, [1, 0]) : a, transB ? transposed(b, [1, 0]) : b]);
  const scaled = alpha === 1 ? product : tensor(product.shape, product.data.map((value) => alpha * value));
  return c ? combined(scaled, c, (one, two) => one + beta * two) : scaled;
}

/**
 * Call visit(tap, first column, count, first pixel) for each stretch of a row in which one weight of a kernel meets
 * pixels inside of the picture: those pixels are strides[1] apart, and their columns of the matrix beside one another.
 */
function eachStretch({ channels, height, width, kernel, strides, pads, rows, columns }, visit) {
  for (let tap = 0; tap < channels * kernel[0] * kernel[1]; tap++) {
    const [kx, ky] = [tap % kernel[1], Math.floor(tap / kernel[1]) % kernel[0]];
    const plane = Math.floor(tap / (kernel[0] * kernel[1])) * height * width;
    const first = Math.max(0, Math.ceil((pads[1] - kx) / strides[1]));
    const last = Math.min(columns - 1, Math.floor((width - 1 + pads[1] - kx) / strides[1]));
    for (let y = 0; y < rows; y++) {
      const inY = y * strides[0] + ky - pads[0];
      if (inY < 0 || inY >= height || last < first) continue;
      visit(tap, y * columns + first, last - first + 1, plane + inY * width + first * strides[1] + kx - pads[1]);
    }
  }
}

const addBias = (result, start, channels, area, bias) => {
  if (!bias) return;
  for (let i = 0; i < channels * area; i++) result[start + i] += bias.data[Math.floor(i / area)];
};

/** A convolution as a matrix product, one picture at a time, so that the unfolded picture stays in the cache. */
function conv([x, weights, bias], { strides = [1, 1], pads = [0, 0, 0, 0] }) {
  const [count, channels, height, width] = x.shape;
  const [filters, , ...kernel] = weights.shape;
  const rows = Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1;
  const [area, depth] = [rows * columns, channels * kernel[0] * kernel[1]];
  const result = new Float32Array(count * filters * area);
  const room = products.prepare(weights.data, filters, depth, area);
  room.right.fill(0);
  for (let n = 0; n < count; n++) {
    const picture = x.data.subarray(n * channels * height * width);
    const places = { channels, height, width, kernel, strides, pads, rows, columns };
    eachStretch(places, (tap, column, length, pixel) => {
      const to = tap * room.width + column;
      for (let i = 0; i < length; i++) room.right[to + i] = picture[pixel + i * strides[1]];
    });
    result.set(withoutPadding(products.multiply(), filters, room.width, area), n * filters * area);
    addBias(result, n * filters * area, filters, area, bias);
  }
  return tensor([count, filters, rows, columns], result);
}

/** A transposed convolution: what a convolution's matrix product would have unfolded, added up where it came from. */
function convTranspose([x, weights, bias], { strides = [1, 1], pads = [0, 0, 0, 0], output_padding = [0, 0] }) {
  const [count, depth, rows, columns] = x.shape;
  const [, filters, ...kernel] = weights.shape;
  const height = (rows - 1) * strides[0] + kernel[0] + output_padding[0] - pads[0] - pads[2];
  const width = (columns - 1) * strides[1] + kernel[1] + output_padding[1] - pads[1] - pads[3];
  const [area, taps] = [rows * columns, filters * kernel[0] * kernel[1]];
  const left = transposed(tensor([depth, taps], weights.data), [1, 0]).data;
  const result = new Float32Array(count * filters * height * width);
  const room = products.prepare(left, taps, depth, area);
  for (let n = 0; n < count; n++) {
    for (let l = 0; l < depth; l++) {
      room.right.set(x.data.subarray((n * depth + l) * area, (n * depth + l + 1) * area), l * room.width);
    }
    const [unfolded, start] = [products.multiply(), n * filters * height * width];
    const places = { channels: filters, height, width, kernel, strides, pads, rows, columns };
    eachStretch(places, (tap, column, length, pixel) => {
      const from = tap * room.width + column;
      for (let i = 0; i < length; i++) result[start + pixel + i * strides[1]] += unfolded[from + i];
    });
    addBias(result, start, filters, height * width, bias);
  }
  return tensor([count, filters, height, width], result);
}
