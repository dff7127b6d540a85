"use strict";
// Draws the plane, and the curves under it. It reads the networks and never changes them.

const CELLS = 40; // the background has CELLS × CELLS cells
const CENTERS = Float64Array.from({ length: 2 * CELLS * CELLS }, (_, k) => { // of the cells, row by row from the top
  const [column, row] = [(k >> 1) % CELLS, Math.floor((k >> 1) / CELLS)];
  return k % 2 === 0 ? EDGE * ((2 * column + 1) / CELLS - 1) : EDGE * (1 - (2 * row + 1) / CELLS);
});
const MESH_LINES = 13;
const MESH_POINTS = 41; // per line
const MARGIN = 26; // left of the curves, for the lowest and the highest value
const BLUR = 0.12; // the spread of the Gaussian that stands for one of G's points in q

/** D's answer in each cell: its probability that a point there is from the data. */
const answerField = (D) => D.run(CENTERS).output.map(sigmoid);

/** The best possible answer in each cell: p / (p + q). Both densities are smoothed alike. */
function bestField(data, samples) {
  const p = density(data.spots.flat(), Math.hypot(data.spread, BLUR));
  const q = density(samples, BLUR);
  return p.map((number, cell) => (number + 1e-9) / (number + q[cell] + 2e-9));
}

/** The density in each cell of a mixture of equally likely round Gaussians. */
function density(points, spread) {
  const field = new Float64Array(CELLS * CELLS);
  const bell = (distance) => Math.exp(-0.5 * (distance / spread) ** 2);
  for (let i = 0; i < points.length; i += 2) {
    const across = Float64Array.from({ length: CELLS }, (_, column) => bell(CENTERS[2 * column] - points[i]));
    for (let row = 0; row < CELLS; row++) {
      const down = bell(CENTERS[2 * row * CELLS + 1] - points[i + 1]);
      if (down > 1e-12) for (let column = 0; column < CELLS; column++) field[row * CELLS + column] += down * across[column];
    }
  }
  const weight = 2 / (points.length * 2 * Math.PI * spread ** 2);
  return field.map((number) => number * weight);
}

/** Latent points on vertical and horizontal lines. G bends these lines. */
function meshLatents() {
  const at = (index, count) => (5 * index) / (count - 1) - 2.5;
  const points = [];
  for (let line = 0; line < MESH_LINES; line++) {
    for (let k = 0; k < MESH_POINTS; k++) points.push(at(line, MESH_LINES), at(k, MESH_POINTS));
    for (let k = 0; k < MESH_POINTS; k++) points.push(at(k, MESH_POINTS), at(line, MESH_LINES));
  }
  return Float64Array.from(points);
}
const MESH = meshLatents();

/** The colors of the style sheet, in light or dark. */
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "soft", "line", "real", "fake", "real-field", "fake-field", "middle"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const channels = (color) => {
  const hex = color.slice(1).replace(/^(.)(.)(.)$/, "$1$1$2$2$3$3");
  return [0, 2, 4].map((start) => parseInt(hex.slice(start, start + 2), 16));
};

/** Give a canvas as many pixels as the screen shows of it. Returns its context, scaled to CSS pixels. */
function prepare(canvas) {
  const ratio = Math.min(window.devicePixelRatio, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** The plane on a canvas. */
class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.cells = Object.assign(document.createElement("canvas"), { width: CELLS, height: CELLS });
    this.clear();
  }

  clear() {
    const { context, width } = prepare(this.canvas);
    Object.assign(this, { context, size: width, colors: readColors() });
  }

  /** From a point of the plane to a place on the canvas, and back. */
  place(x, y) { return [(this.size * (x / EDGE + 1)) / 2, (this.size * (1 - y / EDGE)) / 2]; }
  point(left, top) { return [EDGE * ((2 * left) / this.size - 1), EDGE * (1 - (2 * top) / this.size)]; }

  /** Paint the background: 0 is orange, 0.5 is the paper, and 1 is blue. */
  field(values) {
    const [low, middle, high] = ["fake-field", "middle", "real-field"].map((name) => channels(this.colors[name]));
    const context = this.cells.getContext("2d");
    const image = context.createImageData(CELLS, CELLS);
    values.forEach((value, cell) => {
      const end = value > 0.5 ? high : low;
      const share = Math.min(1, Math.abs(2 * value - 1));
      for (let c = 0; c < 3; c++) image.data[4 * cell + c] = middle[c] + share * (end[c] - middle[c]);
      image.data[4 * cell + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(this.cells, 0, 0, this.size, this.size);
  }

  crosses(points, alpha = 0.75) {
    const arm = Math.max(2, this.size / 170);
    this._stroke(this.colors.real, 1.2, alpha, (context) => {
      for (let i = 0; i < points.length; i += 2) {
        const [x, y] = this.place(points[i], points[i + 1]);
        context.moveTo(x - arm, y);
        context.lineTo(x + arm, y);
        context.moveTo(x, y - arm);
        context.lineTo(x, y + arm);
      }
    });
  }

  dots(points, alpha = 0.9) {
    const { context, colors } = this;
    const radius = Math.max(1.8, this.size / 180);
    context.globalAlpha = alpha;
    context.fillStyle = colors.fake;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = this.place(points[i], points[i + 1]);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
    context.globalAlpha = 1;
  }

  /** Arrows from points to other points. */
  arrows(from, to) {
    this._stroke(this.colors.ink, 1.3, 0.85, (context) => {
      for (let i = 0; i < from.length; i += 2) {
        const [x, y] = this.place(from[i], from[i + 1]);
        const [toX, toY] = this.place(to[i], to[i + 1]);
        context.moveTo(x, y);
        context.lineTo(toX, toY);
        const head = Math.min(5, Math.hypot(toX - x, toY - y) / 2);
        if (head < 1) continue;
        for (const turn of [2.6, -2.6]) {
          const angle = Math.atan2(toY - y, toX - x) + turn;
          context.moveTo(toX, toY);
          context.lineTo(toX + head * Math.cos(angle), toY + head * Math.sin(angle));
        }
      }
    });
  }

  /** G's picture of a square grid of latent points. */
  mesh(G) {
    const points = G.run(MESH).output;
    this._stroke(this.colors.soft, 1, 0.7, (context) => {
      for (let k = 0; k < points.length / 2; k++) {
        const place = this.place(points[2 * k], points[2 * k + 1]);
        if (k % MESH_POINTS === 0) context.moveTo(...place);
        else context.lineTo(...place);
      }
    });
  }

  /** The brush of the keyboard. */
  brush([x, y], radius) {
    const length = (radius * this.size) / EDGE;
    this._stroke(this.colors.ink, 2, 1, (context) => context.arc(...this.place(x, y), length, 0, 2 * Math.PI));
  }

  _stroke(color, width, alpha, trace) {
    const { context } = this;
    Object.assign(context, { strokeStyle: color, lineWidth: width, globalAlpha: alpha });
    context.beginPath();
    trace(context);
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** Draw curves of the history. Each line is {name, color, dashed}. `range` fixes the lowest and the highest value. */
function drawCurves(canvas, rows, lines, range) {
  const { context, width, height } = prepare(canvas);
  const colors = readColors();
  const values = rows.flatMap((row) => lines.map(({ name }) => row[name])).filter(Number.isFinite);
  const [low, high] = range ?? [Math.min(0, ...values), Math.max(0.1, ...values)];
  const gap = (width - MARGIN) / Math.max(1, rows.length - 1);
  const top = (value) => 4 + (height - 8) * (1 - (value - low) / (high - low));
  for (const { name, color, dashed } of lines) {
    context.strokeStyle = colors[color];
    context.lineWidth = dashed ? 1 : 1.6;
    context.setLineDash(dashed ? [4, 4] : []);
    context.beginPath();
    rows.forEach((row, k) => context.lineTo(MARGIN + gap * k, top(row[name])));
    context.stroke();
  }
  context.setLineDash([]);
  Object.assign(context, { fillStyle: colors.soft, font: "11px system-ui, sans-serif", textBaseline: "top" });
  context.fillText(high.toFixed(1), 2, 2);
  context.textBaseline = "bottom";
  context.fillText(low.toFixed(1), 2, height - 2);
}
