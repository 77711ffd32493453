/** Where a record's page stands, and what the file says of a step. Nothing is computed here. */
import { told } from "./parts.mjs";

// Terms of a sum that are spoken; of more the first ones.
const SPOKEN = 9;

// What the file has as one text is many: texts a line each, results between blanks.
for (const call of told.links) {
  call.texts = call.texts.split("\n");
  for (const each of [call, call.flipped]) if (each) each.results = each.results.split(" ");
}

/** The link, the step of it, the step that is pointed at, the first channel, both calls or one. */
export const here = { link: 0, step: 0, hover: null, channel: 0, comparing: false };

/** Return the call that is shown. */
export function link() {
  return told.links[here.link];
}

/** Return the text that a column of the file has for a step. */
export function texts(column, step) {
  return link().texts[column[step]];
}

/** Return planes of numbers, as rows of texts. */
export function planes(text) {
  const rows = (plane) => plane.split(";").map((row) => row.split(" "));
  return text ? text.split("|").map(rows) : [];
}

/** Return the plane, row and column of the cell that a step computes. */
export function cellOf(step) {
  const [, height, width] = link().shape;
  const within = step % (height * width);
  return [Math.floor(step / (height * width)), Math.floor(within / width), within % width];
}

/** Return the step that computes a cell. */
export function stepAt(plane, row, column) {
  const [, height, width] = link().shape;
  return (plane * height + row) * width + column;
}

/** Return the numbers under the window of a step, a plane for each channel. */
export function windows(step) {
  const { windows: kept, planes: source, rows, columns, ring, flows } = link();
  if (kept) return planes(texts(kept, step));
  const [plane, row, column] = cellOf(step);
  return flows[plane].map((from) => {
    const lines = planes(source[from])[0] ?? [];
    return rows[row].map((y) => columns[column].map((x) => lines[y + ring.top][x + ring.left]));
  });
}

/** Return the products of a window and its weights as they are written, cut after so many. */
export function spelled(window, kernel, times, most) {
  const factor = (text) => (text.startsWith("-") ? `(${text})` : text);
  const weights = kernel?.flat();
  const met = (i) => (weights ? times + factor(weights[i]) : "");
  const terms = window.flat().map((x, i) => factor(x) + met(i));
  return [...terms.slice(0, most), ...(terms.length > most ? ["…"] : [])].join(" + ");
}

/** Return where in the result the cell of a step is, in words. */
export function placeOf(step) {
  const [plane, row, column] = cellOf(step);
  const spots = [[], [`cell ${column}`], [`row ${row}`, `column ${column}`]];
  return [link().places[plane], ...spots[link().axes]].filter(Boolean).join(", ");
}

/** Return a step as a sentence, for those who listen. */
export function sentence(step) {
  const [name] = link().channels[cellOf(step)[0]];
  const kernel = planes(texts(link().kernels, step))[0];
  const products = link().spelled
    ? `${name ? `${name}: ` : ""}${spelled(windows(step)[0], kernel, "x", SPOKEN)} `
    : "";
  return `step ${step} of ${link().of}, ${placeOf(step)}: ${products}${texts(link().told, step)}`;
}
