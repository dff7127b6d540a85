"use strict";
// Runs a generator's ONNX graph in the page, one operator after the other, as the ONNX specification defines them.

const OPERATORS = {
  Abs: elementwise(Math.abs),
  Add: elementwiseAll(add),
  BatchNormalization: batchNormalization,
  Cast: ([x], { to }) => {
    if (to === 9) return tensor(x.shape, Int32Array.from(x.data, (value) => value !== 0)); // a boolean: 0 or 1
    return tensor(x.shape, (to === 1 ? Float32Array : Int32Array).from(x.data));
  },
  Clip: ([x, low, high]) => {
    const [minimum, maximum] = [low ? low.data[0] : -Infinity, high ? high.data[0] : Infinity];
    return tensor(x.shape, x.data.map((value) => Math.min(Math.max(value, minimum), maximum)));
  },
  Concat: (parts, { axis }) => concatenate(parts, axis),
  Conv: conv,
  ConvTranspose: convTranspose,
  Div: elementwiseAll((x, y) => x / y),
  Exp: elementwise(Math.exp),
  Expand: ([x, newShape]) => {
    const shape = broadcastShape(x.shape, [...newShape.data]);
    return stridedCopy(x.data, shape, broadcastStrides(x.shape, shape));
  },
  Flatten: ([x], { axis = 1 }) => reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]),
  Gather: gather,
  Gemm: gemm,
  GlobalMaxPool: ([x]) => reduceMax([x], { axes: [...x.shape.keys()].slice(2) }),
  GreaterOrEqual: elementwiseAll((x, y) => Number(x >= y)),
  Identity: ([x]) => x,
  LeakyRelu: elementwise((value, { alpha = 0.01 }) => (value < 0 ? alpha * value : value)),
  MatMul: matMul,
  Max: elementwiseAll(Math.max),
  Min: elementwiseAll(Math.min),
  Mul: elementwiseAll(multiply),
  Neg: elementwise((value) => -value),
  OneHot: oneHot,
  Pow: elementwiseAll((x, y) => x ** y),
  Reciprocal: elementwise((value) => 1 / value),
  ReduceMax: reduceMax,
  Relu: elementwise((value) => (value < 0 ? 0 : value)),
  Reshape: ([x, shape]) => reshape(x, [...shape.data]),
  Resize: resize,
  Shape: ([x]) => integers(x.shape),
  Sigmoid: elementwise((value) => 1 / (1 + Math.exp(-value))),
  Slice: slice,
  Sqrt: elementwise(Math.sqrt),
  Squeeze: ([x, axes], attributes) => tensor(withoutAxes(x.shape, axes ? [...axes.data] : attributes.axes), x.data),
  Sub: elementwiseAll(subtract),
  Tanh: elementwise(Math.tanh),
  Tile: ([x, repeats]) => repeats.data.reduce((tiled, count, axis) => concatenate(Array(count).fill(tiled), axis), x),
  Transpose: ([x], { perm }) => transpose(x, perm ?? [...x.shape.keys()].reverse()),
  Unsqueeze: ([x, axes], attributes) => tensor(withAxes(x.shape, toArray(axes, attributes.axes)), x.data),
  Where: where,
};

/** A network from a graph in the form that webpage/onnx_graph.py writes, and its weights in one buffer. */
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

  /** Compute the output. Inputs are tensors by name. */
  run(inputs) {
    const values = { ...this.constants, ...inputs };
    for (const { operator, inputs: names, output, attributes } of this.graph.nodes) {
      values[output] = OPERATORS[operator](names.map((name) => values[name]), attributes);
    }
    return values[this.graph.output];
  }
}
