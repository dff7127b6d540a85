"use strict";
// Runs a generator's ONNX graph in the page, operator by operator, as the ONNX specification defines them.

const OPERATORS = {
  Abs: each(Math.abs),
  Add: elementwise(plus),
  BatchNormalization: normalised,
  Cast: ([x], { to }) => {
    if (to === 9) return tensor(x.shape, Int32Array.from(x.data, (value) => value !== 0)); // a truth: 0 or 1
    return tensor(x.shape, (to === 1 ? Float32Array : Int32Array).from(x.data));
  },
  Clip: ([x, low, high]) => {
    const [least, most] = [low ? low.data[0] : -Infinity, high ? high.data[0] : Infinity];
    return tensor(x.shape, x.data.map((value) => Math.min(Math.max(value, least), most)));
  },
  Concat: (parts, { axis }) => joined(parts, axis),
  Conv: conv,
  ConvTranspose: convTranspose,
  Div: elementwise((one, two) => one / two),
  Exp: each(Math.exp),
  Expand: ([x, wanted]) => {
    const shape = broadcastShape(x.shape, [...wanted.data]);
    return gathered(x.data, shape, broadcastStrides(x.shape, shape));
  },
  Flatten: ([x], { axis = 1 }) => reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]),
  Gather: taken,
  Gemm: gemm,
  GlobalMaxPool: ([x]) => largest([x], { axes: [...x.shape.keys()].slice(2) }),
  GreaterOrEqual: elementwise((one, two) => Number(one >= two)),
  Identity: ([x]) => x,
  LeakyRelu: each((value, { alpha = 0.01 }) => (value < 0 ? alpha * value : value)),
  MatMul: matMul,
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mul: elementwise(times),
  Neg: each((value) => -value),
  OneHot: oneHot,
  Pow: elementwise((one, two) => one ** two),
  Reciprocal: each((value) => 1 / value),
  ReduceMax: largest,
  Relu: each((value) => (value < 0 ? 0 : value)),
  Reshape: ([x, shape]) => reshaped(x, [...shape.data]),
  Resize: resized,
  Shape: ([x]) => integers(x.shape),
  Sigmoid: each((value) => 1 / (1 + Math.exp(-value))),
  Slice: sliced,
  Sqrt: each(Math.sqrt),
  Squeeze: ([x, axes], attributes) => tensor(withoutAxes(x.shape, axes ? [...axes.data] : attributes.axes), x.data),
  Sub: elementwise(minus),
  Tanh: each(Math.tanh),
  Tile: ([x, repeats]) => repeats.data.reduce((sum, times, axis) => joined(Array(times).fill(sum), axis), x),
  Transpose: ([x], { perm }) => transposed(x, perm ?? [...x.shape.keys()].reverse()),
  Unsqueeze: ([x, axes], attributes) => tensor(withAxes(x.shape, listed(axes, attributes.axes)), x.data),
  Where: chosen,
};

/** A graph as explorer/graph.py writes it, with its weights in one buffer. */
class Network {
  constructor(graph, buffer) {
    this.graph = graph;
    this.constants = Object.fromEntries(
      graph.constants.map(({ name, shape, offset, integers: values }) => [
        name,
        tensor(shape, values ? Int32Array.from(values) : new Float32Array(buffer, offset, sizeOf(shape))),
      ]),
    );
  }

  /** The output for inputs, tensors by their names. */
  run(inputs) {
    const values = { ...this.constants, ...inputs };
    for (const { operator, inputs: names, output, attributes } of this.graph.nodes) {
      values[output] = OPERATORS[operator](names.map((name) => values[name]), attributes);
    }
    return values[this.graph.output];
  }
}
