/** The panels of a step: source, window, kernel, products and result, and the sums below them. */
import { element, make } from "./parts.mjs";
import { cellOf, here, link, planes, spelled, stepAt, texts, windows } from "./steps.mjs";
import { grid, shade } from "./grids.mjs";

// Planes that are seen at once where there is room, sums that are, terms that are written out.
const ABREAST = 4;
const SUMS = 8;
const WRITTEN = 24;
// A result of more cells is not shown: a browser would take long to draw it.
const LARGEST = 20_000;

let shown = null; // tables that are built once, and change from step to step

/** Return how many planes there is room for. */
export function abreast() {
  return matchMedia("(max-width: 700px)").matches ? 1 : ABREAST;
}

/** Show a step: build what it needs, unless it is there already, and mark its cells. */
export function show(step, { point, choose }) {
  const [plane] = cellOf(step);
  const of = [here.link, plane, here.comparing, ...around(plane, abreast())].join();
  if (shown?.of !== of) shown = { of, ...built(plane, point, choose) };
  shown.sources.forEach((source) => mark(source, step));
  fill(shown.result, link().results, plane, step);
  if (shown.flipped) fill(shown.flipped, link().flipped.results, plane, step);
  const both = shown.flipped ? between(step, link().flipped) : [];
  shown.middle.replaceChildren(...between(step), ...both);
  element("sums").replaceChildren(...sums(step));
}

/** Return the numbers of so many of the channels that flow into a plane, from the chosen one on. */
function around(plane, most) {
  const count = link().flows[plane].length;
  const first = Math.min(here.channel, Math.max(count - most, 0));
  return Array.from({ length: Math.min(count - first, most) }, (_, k) => first + k);
}

/** Build the planes that a plane of the result is made of, and that itself. */
function built(plane, point, choose) {
  const { flows, channels, planes: source, shape, places } = link();
  const seen = around(plane, abreast());
  element("channels").hidden = seen.length === flows[plane].length;
  const named = (...parts) => parts.filter(Boolean).join(" · ");
  const sources = source === null ? [] : seen.map((k) => {
    const title = named(link().source, channels[plane][k]);
    return readable(grid(title, planes(source[flows[plane][k]])[0]));
  });
  const [, height, width] = shape;
  const known = height * width <= LARGEST;
  const empty = Array.from({ length: known ? height : 0 }, () => Array(width).fill("·"));
  const result = grid(named(link().result, places[plane]), empty, "choosable");
  result.cells.forEach((row, i) => row.forEach((cell, j) => {
    const step = stepAt(plane, i, j);
    if (step >= link().steps) return;
    cell.addEventListener("pointerenter", () => point(step));
    cell.addEventListener("pointerleave", () => point(null));
    cell.addEventListener("click", () => choose(step));
  }));
  const other = here.comparing ? link().flipped : null;
  const flipped = other && grid(`${other.operation}: ${link().result}`, empty);
  const middle = make("div", { className: "group" });
  const from = sources.map((each) => each.figure);
  const sides = [make("div", { className: "group sources" }, ...from), middle];
  if (known) sides.push(result.figure);
  if (link().backward) sides.reverse();
  if (known && flipped) sides.push(flipped.figure);
  element("panels").replaceChildren(...sides);
  return { seen, sources, middle, result, flipped };
}

/** Let the cells of a source say which windows read them; those of its padding look so. */
function readable(source) {
  const { ring } = link();
  source.cells.forEach((row, i) => row.forEach((cell, j) => {
    const [y, x] = [i - ring.top, j - ring.left];
    const inside = y >= 0 && x >= 0 && y < ring.height && x < ring.width;
    cell.classList.toggle("ring", !inside);
    cell.addEventListener("pointerenter", () => readers(y, x));
    cell.addEventListener("pointerleave", () => readers(null, null));
  }));
  return source;
}

/** Mark a cell of the source and those of the result whose windows read it; return how many. */
export function readers(y, x) {
  const { rows, columns, ring } = link();
  shown.sources.forEach(({ cells }) => cells.forEach((row, i) => row.forEach((cell, j) => {
    cell.classList.toggle("pixel", i - ring.top === y && j - ring.left === x);
  })));
  const marked = shown.result.cells.flatMap((row, i) => row.filter((cell, j) =>
    cell.classList.toggle("reads", rows[i].includes(y) && columns[j].includes(x))));
  return marked.length;
}

/** Mark the window of a step, and the cell that won. */
function mark({ cells }, step) {
  const [, row, column] = cellOf(step);
  const { rows, columns, ring, winners } = link();
  const won = winners?.[step] ?? [];
  cells.forEach((line, i) => line.forEach((cell, j) => {
    const [y, x] = [i - ring.top, j - ring.left];
    const inside = rows[row].includes(y) && columns[column].includes(x);
    cell.classList.toggle("window", inside);
    cell.classList.toggle("winner", won[0] === y && won[1] === x);
  }));
}

/** Fill the result as far as it is computed, and mark the cell of a step. */
function fill({ cells, small }, results, plane, marked) {
  const first = stepAt(plane, 0, 0);
  const flat = cells.flat();
  const known = flat.filter((cell, i) => {
    const step = first + i;
    const seen = step <= here.step && step < link().steps;
    const text = seen || step === marked ? results[step] : "·";
    if (cell.textContent !== text) cell.textContent = text;
    cell.classList.toggle("later", !seen);
    cell.classList.toggle("result", step === marked);
    cell.style.backgroundColor = "";
    return seen && step !== marked;
  });
  if (small) shade(known);
}

/** Return the panels between source and result: the window where it is small, kernel, products. */
function between(step, computed = link()) {
  const own = computed === link();
  const seen = (every) => shown.seen.map((k) => every[k]).filter(Boolean);
  const named = (name) => (own ? name : `${computed.operation}: ${name}`);
  const kernels = seen(planes(texts(computed.kernels, step)));
  const products = seen(planes(texts(computed.products, step)));
  const hidden = shown.sources.some((source) => source.small) || shown.sources.length === 0;
  const panels = [];
  if (own && (hidden || !kernels.length)) panels.push(["window", seen(windows(step))]);
  if (kernels.length) panels.push([named(link().kernel), kernels]);
  if (products.length) panels.push([named("products"), products]);
  return panels.map(([name, every]) =>
    make("div", {}, ...every.map((rows, k) => grid(k ? "" : name, rows).figure)));
}

/** Return the sum of each channel, and how the sums make the result. */
function sums(step) {
  const ends = texts(link().sums, step).split("|");
  if (!ends[0]) return [];
  const [plane] = cellOf(step);
  const every = windows(step);
  const kernels = planes(texts(link().kernels, step));
  const seen = around(plane, SUMS);
  const lines = seen.map((k) => {
    const name = link().channels[plane][k];
    const [sign, result] = ends[k].split(" ");
    const named = name ? [make("span", { className: "name" }, name)] : [];
    const terms = spelled(every[k], kernels[k], "·", WRITTEN);
    return make("div", {}, ...named, `${terms} ${sign} `, make("b", {}, result));
  });
  const hidden = link().flows[plane].length - seen.length;
  if (hidden > 0) lines.push(make("div", {}, `… ${hidden} more channels`));
  const equation = texts(link().equations, step);
  if (equation) lines.push(make("div", {}, equation));
  return lines;
}
