/** One cell of a map: what it sees of the picture, its window, the products and their sum. */

import { plane } from "./maps.mjs";

const LISTED = 8; // terms of a long sum that are written out, the largest first

/**
 * Return what there is to say of a cell.
 * @param {any} told layers, class names
 * @param {Float32Array[]} values of all layers
 * @param {Record<string, Float32Array>} weights
 * @param {{layer: number, map: number, row: number, column: number, channel: number}} at
 */
export function explained(told, values, weights, at) {
  const layer = told.layers[at.layer];
  const index = cellOf(layer, at);
  const value = values[at.layer][index];
  const flat = layer.shape.length === 1;
  const where = flat ? `number ${index}` : `map ${at.map}, row ${at.row}, column ${at.column}`;
  const found = { layer, value, where, field: fieldOf(told, layer, at), index };
  const tell = { conv, dense, "max-pool": pool, "avg-pool": pool, "global-avg-pool": pool }[
    layer.kind
  ];
  return { ...found, ...(tell ?? other)(told, values, weights, at, found) };
}

/** Return the place of a cell among the numbers of its layer. */
export function cellOf({ shape }, { map, row, column }) {
  const { rows, columns } = plane(shape);
  return (map * rows + row) * columns + column;
}

/** Return the cells of the picture that a cell sees: [start, stop) along both axes. */
function fieldOf(told, layer, { row, column }) {
  const [, height, width] = told.picture.shape;
  if (!layer.field)
    return [
      [0, height],
      [0, width],
    ];
  return layer.field.map(({ start, jump, size }, axis) => {
    const first = start + [row, column][axis] * jump;
    return [first, first + size];
  });
}

/** Return the windows that a cell reads in each channel of what the layer reads. */
function windowOf(told, values, at) {
  const layer = told.layers[at.layer];
  const source = told.layers[layer.reads[0]];
  const [, rows, columns] = source.shape;
  const [down, across] = layer.windows;
  const top = at.row * down.stride - down.before;
  const left = at.column * across.stride - across.before;
  const numbers = values[layer.reads[0]];
  const taps = (channel) =>
    Array.from({ length: down.window }, (_, i) =>
      Array.from({ length: across.window }, (_, j) => {
        const [y, x] = [top + i * down.dilation, left + j * across.dilation];
        const inside = y >= 0 && x >= 0 && y < rows && x < columns;
        return inside ? numbers[(channel * rows + y) * columns + x] : null;
      }),
    );
  const border = source.border ?? [0, 0];
  return { taps, top: top - border[0], left: left - border[1] };
}

function conv(told, values, weights, at, { layer, value }) {
  const [filters] = layer.shape;
  const channels = told.layers[layer.reads[0]].shape[0] / layer.groups;
  const first = Math.floor((at.map * layer.groups) / filters) * channels;
  const [high, wide] = layer.windows.map(({ window }) => window);
  const kernel = (channel, i, j) =>
    weights[`${layer.name}.weight`][((at.map * channels + channel) * high + i) * wide + j];
  const { taps, top, left } = windowOf(told, values, at);
  const sums = Array.from({ length: channels }, (_, channel) => {
    const terms = taps(first + channel).flatMap((line, i) =>
      line.map((x, j) => (x ?? 0) * kernel(channel, i, j)),
    );
    return terms.reduce((a, b) => a + b, 0);
  });
  const channel = Math.min(at.channel, channels - 1);
  const patch = taps(first + channel);
  const bias = weights[`${layer.name}.bias`]?.[at.map] ?? 0;
  const total = sums.reduce((a, b) => a + b, 0) + bias;
  const factors = patch.map((line, i) => line.map((_, j) => kernel(channel, i, j)));
  return {
    channels,
    channel,
    tables: [
      {
        name: `window of channel ${first + channel}, from row ${top}, column ${left}`,
        cells: patch,
      },
      { name: "kernel", cells: factors },
      {
        name: "products",
        cells: patch.map((line, i) => line.map((x, j) => (x ?? 0) * factors[i][j])),
      },
    ],
    sentence:
      `${summed(sums)} + bias ${short(bias)} = ${short(total)}` + activated(layer, total, value),
  };
}

/** Return the sums of channels, of which many would be too many to read. */
function summed(sums) {
  if (sums.length <= LISTED) return sums.map(short).join(" + ");
  return `${short(sums.reduce((a, b) => a + b, 0))} of all ${sums.length} channels`;
}

function dense(told, values, weights, at, { layer, value, index }) {
  const inputs = values[layer.reads[0]];
  const row = weights[`${layer.name}.weight`].subarray(
    index * inputs.length,
    (index + 1) * inputs.length,
  );
  const terms = Array.from(inputs, (x, i) => ({ i, x, w: row[i], product: x * row[i] }));
  const bias = weights[`${layer.name}.bias`]?.[index] ?? 0;
  const total = terms.reduce((sum, { product }) => sum + product, 0) + bias;
  const largest = terms.sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, LISTED);
  const rest = total - bias - largest.reduce((sum, { product }) => sum + product, 0);
  return {
    terms: largest,
    sentence:
      `the ${largest.length} largest of ${inputs.length} products, ${short(rest)} of the others, ` +
      `bias ${short(bias)}: ${short(total)}${activated(layer, total, value)}`,
  };
}

function pool(told, values, _weights, at, { layer, value }) {
  const { taps, top, left } = windowOf(told, values, at);
  const word = layer.kind === "max-pool" ? "the largest" : "the mean";
  return {
    tables: [
      { name: `window of channel ${at.map}, from row ${top}, column ${left}`, cells: taps(at.map) },
    ],
    sentence: `${word} of the window is ${short(value)}`,
  };
}

function other(told, values, _weights, at, { layer, value }) {
  const read = layer.reads?.map((i) => `${told.layers[i].name}`).join(" and ");
  return { sentence: read ? `${short(value)}, made of ${read}` : `the number is ${short(value)}` };
}

function activated({ slope }, total, value) {
  if (slope === 1 || slope === undefined) return "";
  const bend = slope ? "leaky ReLU" : "ReLU";
  return total > 0 ? `; ${bend} keeps what is positive` : `; ${bend} makes it ${short(value)}`;
}

/** Return a number as short as one wants to read it. */
export function short(number) {
  if (number === null) return "·";
  const size = Math.abs(number);
  if (size >= 1000 || (size && size < 0.001)) return number.toExponential(1);
  return number.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
