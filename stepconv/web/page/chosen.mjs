/** What the page shows now: a picture, what the worker found in it, and who shows that. */

import { told } from "./parts.mjs";
import { ask } from "./messages.mjs";
import { plane } from "./maps.mjs";

export const now = {
  given: null, // the pictures of the file
  picture: new Uint8Array(),
  label: null, // the right answer, where it is known
  pulled: null, // the answer that the gradients are for, where it is not that one
  looked: null, // what the worker found in the picture
  weights: {},
  opened: {}, // the weights that the page was opened with
  shown: "values",
  at: middle(Math.min(1, told.layers.length - 1), 0), // a cell of a map of a layer
  running: false, // whether a training is
  relaxed: false, // whether the processor chooses how often it rounds
  changed: false, // whether these weights are not what the file says of itself
};
const shows = [];

/** Say who is called when there is something new to show. */
export function whenLooked(show) {
  shows.push(show);
}

/** Look at the picture with the weights as they are now. */
export async function look() {
  const likely = now.looked ? best(now.looked.logits) : 0;
  const label = now.pulled ?? now.label ?? likely;
  now.looked = await ask("look", { picture: now.picture, label });
  now.weights = await ask("weights");
  for (const show of shows) show();
}

/** Return the place of the largest number. */
export function best(logits) {
  return logits.indexOf(Math.max(...logits));
}

/** Return the cell in the middle of a map, or the first of what has no rows. */
export function middle(layer, map) {
  const { shape } = told.layers[layer];
  const { rows, columns } = plane(shape);
  const [row, column] = shape.length === 1 ? [0, 0] : [rows, columns].map((n) => n >> 1);
  return { layer, map, row, column, channel: 0 };
}
