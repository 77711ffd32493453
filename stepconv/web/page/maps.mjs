/** Numbers as shades: 0 is paper, one colour above it and another below. */

import { colour } from "./plots.mjs";

const WIDEST = 32; // numbers without rows stand in lines of so many

/** Return rows and columns in which a tensor's planes are shown; a flat one is a single plane. */
export function plane(shape) {
  if (shape.length === 3) return { planes: shape[0], rows: shape[1], columns: shape[2] };
  const columns = Math.min(shape[0], WIDEST);
  return { planes: 1, rows: Math.ceil(shape[0] / columns), columns };
}

/** Return the largest distance from 0. */
export function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Shade a canvas, one pixel a number: it is enlarged by its style. */
export function shade(canvas, values, rows, columns, most = largest(values)) {
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const [paper, plus, minus] = ["paper", "plus", "minus"].map((name) => channels(colour(name)));
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(columns, rows);
  for (let i = 0; i < values.length; i++) {
    const share = most ? Math.min(1, Math.abs(values[i]) / most) : 0;
    const ink = values[i] < 0 ? minus : plus;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + share * (ink[c] - paper[c]);
    image.data[4 * i + 3] = 255;
  }
  draw.putImageData(image, 0, 0);
}

/** Show a picture of bytes, gray or in colour, as it looks. */
export function show(canvas, picture, [depth, rows, columns]) {
  canvas.width = columns;
  canvas.height = rows;
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) {
    for (let c = 0; c < 3; c++)
      image.data[4 * i + c] = picture[(depth === 3 ? c : 0) * rows * columns + i];
    image.data[4 * i + 3] = 255;
  }
  draw.putImageData(image, 0, 0);
}

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
