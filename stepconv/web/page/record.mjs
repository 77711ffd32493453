/** A record that plays: keys, buttons and the mouse say where to go, the panels show it. */
import { element, make, say, told } from "./parts.mjs";
import { cellOf, here, link, placeOf, sentence, stepAt } from "./steps.mjs";
import { abreast, readers, show } from "./panels.mjs";
import { control, isPlaying } from "./controls.mjs";

let pixel = null; // the row and column of the source whose readers are looked at

/** Show the step where we are, or the one that is pointed at. */
function update() {
  if (link().steps === 0) {
    say("panels", "nothing comes out of this call");
    return;
  }
  const step = here.hover ?? here.step;
  show(step, { point, choose: go });
  const cut = link().steps < link().of ? ` (${link().steps} of them are here)` : "";
  const pointed = here.hover === null ? "" : " · pointed at";
  say("place", `step ${step} of ${link().of}${cut} · ${placeOf(step)}${pointed}`);
  // What is only pointed at is not read out, and what flies by neither.
  if (!isPlaying() && step === here.step) say("words", sentence(step));
  element("slider").value = here.step;
  element("slider").setAttribute("aria-valuetext", placeOf(here.step));
}

/** Look at a step without going there; null looks back. */
function point(step) {
  here.hover = step;
  update();
}

/** Go to a step, as far as there are any. */
function go(step) {
  here.step = Math.min(Math.max(step, 0), Math.max(link().steps - 1, 0));
  pixel = null;
  update();
}

/** Go to a link, and to a step of it. */
function follow(number, step) {
  here.link = number;
  here.hover = null;
  element("slider").max = Math.max(link().steps - 1, 0);
  element("compare").hidden = !link().flipped;
  say("formulas", link().formulas.join(" · "));
  for (const [i, button] of [...element("links").children].entries()) {
    button.setAttribute("aria-current", String(i === number));
  }
  go(step);
}

/** Follow the cell to what is made of it, or back to what it was made from. */
function walk(ways) {
  const way = ways?.[here.step];
  if (way) follow(way[0], way[1]);
  else say("words", "this cell leads no further");
}

/** Go to what was typed: a step, or row and column. */
function typed(text) {
  const numbers = text.split(/[ ,]+/).filter(Boolean).map(Number);
  const [, height, width] = link().shape;
  const [row, column] = numbers;
  const within = row >= 0 && row < height && column >= 0 && column < width;
  if (numbers.length === 1 && Number.isInteger(row)) go(row < 0 ? link().steps + row : row);
  else if (numbers.length === 2 && within) go(stepAt(cellOf(here.step)[0], row, column));
  else say("words", `${text} is no step: 17 fits, or row and column such as 3,4`);
}

/** Show correlation and convolution side by side, or one alone. */
function compare() {
  here.comparing = !here.comparing && Boolean(link().flipped);
  element("compare").setAttribute("aria-pressed", String(here.comparing));
  update();
}

/** Look at who reads a cell of the source, at first of one under the window; or no longer. */
function read() {
  const [, row, column] = cellOf(here.step);
  const { rows, columns } = link();
  pixel = pixel === null && link().planes ? [rows[row][0] ?? 0, columns[column][0] ?? 0] : null;
  if (pixel) shift(0, 0);
  else {
    readers(null, null);
    update();
  }
}

/** Move the cell whose readers are looked at. */
function shift(down, across) {
  const { ring } = link();
  const within = (at, size) => Math.min(Math.max(at, 0), size - 1);
  pixel = [within(pixel[0] + down, ring.height), within(pixel[1] + across, ring.width)];
  const count = readers(...pixel);
  const cells = count === 1 ? "1 cell" : `${count} cells`;
  const spot = link().axes === 2 ? `row ${pixel[0]}, column ${pixel[1]}` : `cell ${pixel[1]}`;
  say("words", `${link().source}, ${spot}: read for ${cells} of this plane`);
}

/** Go some steps and rows on; where a cell of the source is looked at, to the next of those. */
function arrow(down, across) {
  if (pixel) shift(down, across);
  else go(here.step + stepAt(0, down, across));
}

/** Go to another plane of the result, same cell. */
function plane(by) {
  const step = here.step + by * stepAt(1, 0, 0);
  if (step >= 0 && step < link().steps) go(step);
}

/** Show other channels. */
function channel(by) {
  const last = link().flows[cellOf(here.step)[0]].length - abreast();
  here.channel = Math.min(Math.max(here.channel + by, 0), Math.max(last, 0));
  update();
}

control(
  {
    at: () => here.step,
    last: () => Math.max(link().steps - 1, 0),
    go,
    show: update,
  },
  {
    pace: 4,
    typed,
    keys: {
      ArrowRight: () => arrow(0, 1),
      ArrowLeft: () => arrow(0, -1),
      ArrowDown: () => arrow(1, 0),
      ArrowUp: () => arrow(-1, 0),
      f: () => plane(1),
      F: () => plane(-1),
      ".": () => channel(1),
      ",": () => channel(-1),
      "]": () => walk(link().into),
      "[": () => walk(link().from),
      c: compare,
      r: read,
    },
    buttons: { lower: ",", upper: ".", compare: "c" },
  },
);
say("title", told.title);
if (told.links.length > 1) {
  const buttons = told.links.map(({ heading, operation }, i) =>
    make("button", { title: heading, onclick: () => follow(i, 0) }, `${i} ${operation}`));
  element("links").append(...buttons);
}
if (told.links.length) follow(0, 0);
