"use strict";
// The matrix product, which takes nearly all of a convolutional network's computing time. WebAssembly multiplies four
// numbers at once, JavaScript only one. The module is a few hundred bytes, assembled below from its instructions. A
// browser without WebAssembly uses the version in JavaScript.

const PANEL = 4; // rows of the left matrix that are multiplied together
const STRIP = 8; // columns of the right matrix that are multiplied together

const roundUp = (number, step) => Math.ceil(number / step) * step;

const [I32, V128] = [0x7f, 0x7b]; // WebAssembly's types: an integer, and four floats

/** Encode an unsigned integer as LEB128. */
const encode = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...encode(n >>> 7)]);

/** Encode multiply(left, right, result, panels, depth, row bytes): the types of its variables, then its instructions. */
function multiplyFunction() {
  const [LEFT, RIGHT, RESULT, PANELS, DEPTH, ROW, COLUMN, L, R, REMAINING, TO, R0, R1, SPLAT, SUM] = Array(15).keys();
  const get = (local) => [0x20, ...encode(local)];
  const set = (local) => [0x21, ...encode(local)];
  const constant = (n) => [0x41, n]; // n must be below 64
  const [add, subtract, times, shift, below] = [[0x6a], [0x6b], [0x6c], [0x74], [0x49]];
  const simd = (code, ...rest) => [0xfd, ...encode(code), ...rest];
  const load = (offset) => simd(0x00, 0, offset);
  const loadToAll = (offset) => simd(0x09, 0, offset);
  const store = (offset) => simd(0x0b, 0, offset);
  const zeros = simd(0x0c, ...Array(16).fill(0));
  const [addFour, timesFour] = [simd(0xe4), simd(0xe6)];
  const doWhile = (condition, ...body) => [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0x00, 0x0b];
  const step = (local, ...by) => [...get(local), ...by.flat(), ...add, ...set(local)];
  const countDown = (local) => [...get(local), ...constant(1), ...subtract, ...set(local)];

  const rows = [0, 1, 2, 3];
  const sums = rows.flatMap((row) => [SUM + 2 * row, SUM + 2 * row + 1]);
  const accumulate = (sum, factor) => [...get(sum), ...get(SPLAT), ...get(factor), ...timesFour, ...addFour, ...set(sum)];
  const body = doWhile(get(PANELS),
    [...constant(0), ...set(COLUMN)],
    doWhile([...get(COLUMN), ...get(ROW), ...below],
      [...get(LEFT), ...set(L), ...get(RIGHT), ...get(COLUMN), ...add, ...set(R), ...get(DEPTH), ...set(REMAINING)],
      sums.flatMap((sum) => [...zeros, ...set(sum)]),
      doWhile(get(REMAINING),
        [...get(R), ...load(0), ...set(R0), ...get(R), ...load(16), ...set(R1)],
        rows.flatMap((row) => [
          ...get(L), ...loadToAll(4 * row), ...set(SPLAT),
          ...accumulate(SUM + 2 * row, R0), ...accumulate(SUM + 2 * row + 1, R1),
        ]),
        step(L, constant(16)), step(R, get(ROW)), countDown(REMAINING)),
      [...get(RESULT), ...get(COLUMN), ...add, ...set(TO)],
      rows.flatMap((row) => [
        ...get(TO), ...get(SUM + 2 * row), ...store(0), ...get(TO), ...get(SUM + 2 * row + 1), ...store(16),
        ...step(TO, get(ROW)),
      ]),
      step(COLUMN, constant(32))),
    step(LEFT, get(DEPTH), constant(4), shift), step(RESULT, get(ROW), constant(4), times), countDown(PANELS));
  return [2, TO - ROW, I32, 3 + sums.length, V128, ...body, 0x0b];
}

/** Assemble the WebAssembly module. It exports `multiply`, whose first three arguments are addresses in its memory. */
function buildModule() {
  const sized = (bytes) => [...encode(bytes.length), ...bytes];
  const section = (id, ...bytes) => [id, ...sized(bytes)];
  const text = (string) => sized([...string].map((letter) => letter.charCodeAt(0)));
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
    ...section(1, 1, 0x60, 6, ...Array(6).fill(I32), 0), // the type of multiply: six integers, no result
    ...section(2, 1, ...text("page"), ...text("memory"), 0x02, 0x00, 1), // imports
    ...section(3, 1, 0), // functions
    ...section(7, 1, ...text("multiply"), 0, 0), // exports
    ...section(10, 1, ...sized(multiplyFunction())), // code
  ]);
}

/** Compute the same product in JavaScript. */
function multiplyInScript(left, right, result, rows, depth, width) {
  result.fill(0);
  for (let row = 0; row < rows; row++) {
    const start = (row - (row % PANEL)) * depth + (row % PANEL);
    for (let l = 0; l < depth; l++) {
      const factor = left[start + l * PANEL];
      if (factor === 0) continue;
      for (let column = 0; column < width; column++) result[row * width + column] += factor * right[l * width + column];
    }
  }
}

/**
 * The product left (rows, depth) · right (depth, columns), in two steps. `prepare` returns memory into which the caller
 * writes the right matrix. `multiply` returns the result. The rows of both are padded to the same width.
 */
class MatrixProduct {
  constructor() {
    try {
      this.memory = new WebAssembly.Memory({ initial: 1 });
      const module = new WebAssembly.Module(buildModule());
      this.instance = new WebAssembly.Instance(module, { page: { memory: this.memory } });
    } catch {
      this.instance = null; // The browser has no WebAssembly: multiply in JavaScript.
    }
  }

  /**
   * Store the left matrix, column by column in each panel of rows. Returns memory for the right matrix, and the width of
   * its padded rows.
   */
  prepare(left, rows, depth, columns) {
    Object.assign(this, { rows, depth, width: roundUp(columns, STRIP) });
    const sizes = [roundUp(rows, PANEL) * depth, depth * this.width, roundUp(rows, PANEL) * this.width];
    [this.left, this.right, this.result] = this._allocate(sizes.map((size) => roundUp(size, 4)));
    this.left.fill(0);
    for (let row = 0; row < rows; row++) {
      const start = (row - (row % PANEL)) * depth + (row % PANEL);
      for (let l = 0; l < depth; l++) this.left[start + l * PANEL] = left[row * depth + l];
    }
    return { right: this.right, width: this.width };
  }

  /** Return arrays of these sizes in one buffer, which grows if needed. */
  _allocate(sizes) {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let buffer = this.instance ? this.memory.buffer : this.buffer;
    if (!buffer || buffer.byteLength < 4 * total) {
      if (this.instance) this.memory.grow(Math.ceil((4 * total - buffer.byteLength) / 65536));
      else this.buffer = new ArrayBuffer(4 * total);
      buffer = this.instance ? this.memory.buffer : this.buffer;
    }
    let start = 0;
    return sizes.map((size) => new Float32Array(buffer, 4 * (start += size) - 4 * size, size));
  }

  multiply() {
    const { left, right, result, rows, depth, width } = this;
    if (!this.instance) multiplyInScript(left, right, result, rows, depth, width);
    else {
      const panels = roundUp(rows, PANEL) / PANEL;
      const addresses = [left, right, result].map((matrix) => matrix.byteOffset);
      this.instance.exports.multiply(...addresses, panels, depth, 4 * width);
    }
    return result;
  }
}
