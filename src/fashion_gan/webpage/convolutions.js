"use strict";
// Matrix products and convolutions of tensors.

const products = new MatrixProduct();

/** Multiply left (rows, depth) by right (depth, columns), both flat arrays. */
function multiplyMatrices(left, rows, depth, right, columns) {
  const memory = products.prepare(left, rows, depth, columns);
  for (let l = 0; l < depth; l++) memory.right.set(right.subarray(l * columns, (l + 1) * columns), l * memory.width);
  return withoutPadding(products.multiply(), rows, memory.width, columns);
}

function withoutPadding(result, rows, width, columns) {
  const trimmed = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) trimmed.set(result.subarray(row * width, row * width + columns), row * columns);
  return trimmed;
}

/** Multiply a by b. If b has more than two axes, each of its matrices is multiplied by the matrix of a at the same position. */
function matMul([a, b]) {
  const [depth, columns] = b.shape.slice(-2);
  const count = sizeOf(b.shape.slice(0, -2));
  const rows = a.data.length / depth / count;
  const result = new Float32Array(count * rows * columns);
  for (let i = 0; i < count; i++) {
    const left = a.data.subarray(i * rows * depth, (i + 1) * rows * depth);
    const right = b.data.subarray(i * depth * columns, (i + 1) * depth * columns);
    result.set(multiplyMatrices(left, rows, depth, right, columns), i * rows * columns);
  }
  return tensor([...a.shape.slice(0, -1), columns], result);
}

function gemm([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) {
  const product = matMul([transA ? transpose(a, [1, 0]) : a, transB ? transpose(b, [1, 0]) : b]);
  const scaled = alpha === 1 ? product : tensor(product.shape, product.data.map((value) => alpha * value));
  return c ? broadcast(scaled, c, (x, y) => x + beta * y) : scaled;
}

/**
 * Call visit(tap, firstColumn, count, firstPixel) for each run of pixels in a row that one weight (tap) of a kernel
 * covers inside the picture. The pixels are strides[1] apart. Their columns in the matrix are adjacent.
 */
function eachRun({ channels, height, width, kernel, strides, pads, rows, columns }, visit) {
  for (let tap = 0; tap < channels * kernel[0] * kernel[1]; tap++) {
    const [kernelX, kernelY] = [tap % kernel[1], Math.floor(tap / kernel[1]) % kernel[0]];
    const plane = Math.floor(tap / (kernel[0] * kernel[1])) * height * width;
    const first = Math.max(0, Math.ceil((pads[1] - kernelX) / strides[1]));
    const last = Math.min(columns - 1, Math.floor((width - 1 + pads[1] - kernelX) / strides[1]));
    for (let y = 0; y < rows; y++) {
      const pixelY = y * strides[0] + kernelY - pads[0];
      if (pixelY < 0 || pixelY >= height || last < first) continue;
      const pixelX = first * strides[1] + kernelX - pads[1];
      visit(tap, y * columns + first, last - first + 1, plane + pixelY * width + pixelX);
    }
  }
}

const addBias = (result, start, channels, area, bias) => {
  if (!bias) return;
  for (let i = 0; i < channels * area; i++) result[start + i] += bias.data[Math.floor(i / area)];
};

/** Convolve by a matrix product. One picture at a time: its unfolded pixels then stay in the processor's cache. */
function conv([x, weights, bias], { strides = [1, 1], pads = [0, 0, 0, 0] }) {
  const [count, channels, height, width] = x.shape;
  const [filters, , ...kernel] = weights.shape;
  const rows = Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1;
  const [area, depth] = [rows * columns, channels * kernel[0] * kernel[1]];
  const result = new Float32Array(count * filters * area);
  const memory = products.prepare(weights.data, filters, depth, area);
  memory.right.fill(0);
  for (let n = 0; n < count; n++) {
    const picture = x.data.subarray(n * channels * height * width);
    const geometry = { channels, height, width, kernel, strides, pads, rows, columns };
    eachRun(geometry, (tap, column, length, pixel) => {
      const start = tap * memory.width + column;
      for (let i = 0; i < length; i++) memory.right[start + i] = picture[pixel + i * strides[1]];
    });
    result.set(withoutPadding(products.multiply(), filters, memory.width, area), n * filters * area);
    addBias(result, n * filters * area, filters, area, bias);
  }
  return tensor([count, filters, rows, columns], result);
}

/** Transposed convolution: a matrix product gives the unfolded pixels, which are then summed at their positions. */
function convTranspose([x, weights, bias], { strides = [1, 1], pads = [0, 0, 0, 0], output_padding = [0, 0] }) {
  const [count, depth, rows, columns] = x.shape;
  const [, filters, ...kernel] = weights.shape;
  const height = (rows - 1) * strides[0] + kernel[0] + output_padding[0] - pads[0] - pads[2];
  const width = (columns - 1) * strides[1] + kernel[1] + output_padding[1] - pads[1] - pads[3];
  const [area, taps] = [rows * columns, filters * kernel[0] * kernel[1]];
  const left = transpose(tensor([depth, taps], weights.data), [1, 0]).data;
  const result = new Float32Array(count * filters * height * width);
  const memory = products.prepare(left, taps, depth, area);
  for (let n = 0; n < count; n++) {
    for (let l = 0; l < depth; l++) {
      memory.right.set(x.data.subarray((n * depth + l) * area, (n * depth + l + 1) * area), l * memory.width);
    }
    const [unfolded, start] = [products.multiply(), n * filters * height * width];
    const geometry = { channels: filters, height, width, kernel, strides, pads, rows, columns };
    eachRun(geometry, (tap, column, length, pixel) => {
      const source = tap * memory.width + column;
      for (let i = 0; i < length; i++) result[start + pixel + i * strides[1]] += unfolded[source + i];
    });
    addBias(result, start, filters, height * width, bias);
  }
  return tensor([count, filters, height, width], result);
}
