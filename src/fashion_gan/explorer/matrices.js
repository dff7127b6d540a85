"use strict";
// One matrix product, which is nearly all that a convolutional network computes. It is a few hundred bytes of
// WebAssembly, put together here from its instructions, for that multiplies four numbers at once where plain script
// does one; where a browser has no WebAssembly, plain script does it.

const PANEL = 4; // rows of the left matrix that are worked on together
const STRIP = 8; // columns of the right one

const roundedUp = (number, step) => Math.ceil(number / step) * step;

/** The module's bytes: multiply(left, right, result, panels, depth, row bytes), addresses in the shared memory. */
function productModule() {
  const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
  const sized = (bytes) => [...leb(bytes.length), ...bytes];
  const section = (id, ...bytes) => [id, ...sized(bytes)];
  const text = (string) => sized([...string].map((letter) => letter.charCodeAt(0)));

  const [LEFT, RIGHT, RESULT, PANELS, DEPTH, ROW, COLUMN, L, R, REMAINING, TO, R0, R1, SPLAT, SUM] = Array(15).keys();
  const get = (local) => [0x20, ...leb(local)];
  const set = (local) => [0x21, ...leb(local)];
  const constant = (n) => [0x41, n]; // below 64
  const [add, subtract, times, shift, below] = [[0x6a], [0x6b], [0x6c], [0x74], [0x49]];
  const simd = (code, ...rest) => [0xfd, ...leb(code), ...rest];
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

  const [i32, v128] = [0x7f, 0x7b];
  const code = [2, TO - ROW, i32, 3 + sums.length, v128, ...body, 0x0b];
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, 1, 0x60, 6, ...Array(6).fill(i32), 0),
    ...section(2, 1, ...text("page"), ...text("memory"), 0x02, 0x00, 1),
    ...section(3, 1, 0),
    ...section(7, 1, ...text("multiply"), 0, 0),
    ...section(10, 1, ...sized(code)),
  ]);
}

/** The same in plain script. */
function multiplyPlainly(left, right, result, rows, depth, width) {
  result.fill(0);
  for (let row = 0; row < rows; row++) {
    const from = (row - (row % PANEL)) * depth + (row % PANEL);
    for (let l = 0; l < depth; l++) {
      const factor = left[from + l * PANEL];
      if (factor === 0) continue;
      for (let column = 0; column < width; column++) result[row * width + column] += factor * right[l * width + column];
    }
  }
}

/**
 * left (rows, depth) · right (depth, columns), in two steps so that whoever has the right matrix writes it in place:
 * `prepare` says where, then `multiply` gives the result, with rows as far apart as those of the right matrix.
 */
class MatrixProduct {
  constructor(useWebAssembly = true) {
    try {
      if (!useWebAssembly) throw new Error("not wanted");
      this.memory = new WebAssembly.Memory({ initial: 1 });
      const module = new WebAssembly.Module(productModule());
      this.instance = new WebAssembly.Instance(module, { page: { memory: this.memory } });
    } catch {
      this.instance = null;
    }
  }

  /** Take the left matrix; returns the place for the right one and the distance between its rows. */
  prepare(left, rows, depth, columns) {
    Object.assign(this, { rows, depth, width: roundedUp(columns, STRIP) });
    const sizes = [roundedUp(rows, PANEL) * depth, depth * this.width, roundedUp(rows, PANEL) * this.width];
    [this.left, this.right, this.result] = this._rooms(sizes.map((size) => roundedUp(size, 4)));
    this.left.fill(0);
    for (let row = 0; row < rows; row++) {
      const to = (row - (row % PANEL)) * depth + (row % PANEL);
      for (let l = 0; l < depth; l++) this.left[to + l * PANEL] = left[row * depth + l];
    }
    return { right: this.right, width: this.width };
  }

  _rooms(sizes) {
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
    if (!this.instance) multiplyPlainly(left, right, result, rows, depth, width);
    else {
      const panels = roundedUp(rows, PANEL) / PANEL;
      const addresses = [left, right, result].map((room) => room.byteOffset);
      this.instance.exports.multiply(...addresses, panels, depth, 4 * width);
    }
    return result;
  }
}
