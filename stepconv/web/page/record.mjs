// A record that plays. Every number is looked up in what the page was told; none is computed.

const told = JSON.parse(document.getElementById("told").textContent);
const at = (id) => document.getElementById(id);
const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32];
// Planes that are seen at once where there is room, sums that are, terms of a sum that are written
// out and spoken, and the most columns whose numbers can be read.
const ABREAST = 4, SUMS = 8, WRITTEN = 24, SPOKEN = 9, READABLE = 20;
const here = { link: 0, step: 0, hover: null, channel: 0, speed: 3, timer: null, comparing: false };
let shown = null; // what was built for a link and a plane, and changes from step to step

const link = () => told.links[here.link];
const texts = (column, step) => link().texts[column[step]];
const rowsOf = (plane) => plane.split(";").map((row) => row.split(" "));
const planes = (text) => text ? text.split("|").map(rowsOf) : [];
const factor = (text) => text.startsWith("-") ? `(${text})` : text;
const numbered = (n) => Array.from({ length: n }, (_, i) => i);

/** Return an element with its attributes and what is in it. */
function made(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

/** Return the plane, row and column of the cell that a step computes. */
function cellOf(step) {
  const [, height, width] = link().shape;
  const within = step % (height * width);
  return [Math.floor(step / (height * width)), Math.floor(within / width), within % width];
}

/** Return the numbers of so many of the channels that flow into a plane, round the chosen one. */
function around(plane, most) {
  const count = link().flows[plane].length;
  const first = Math.min(here.channel, Math.max(count - most, 0));
  return numbered(Math.min(count - first, most)).map((k) => first + k);
}

const abreast = () => matchMedia("(max-width: 700px)").matches ? 1 : ABREAST;

/** Return rows of numbers as a table with a title; its cells are there to be marked. */
function grid(title, rows, kind = "") {
  const cells = rows.map((row) => row.map((text) => made("td", {}, text)));
  const small = (rows[0]?.length ?? 0) > READABLE;
  const table = made("table", { class: `${kind} ${small ? "pixels" : ""}` });
  table.append(...cells.map((row) => made("tr", {}, ...row)));
  if (small) shade(cells.flat());
  return { figure: made("figure", {}, made("figcaption", {}, title), table), cells, small };
}

/** Shade cells from black to white; below zero blue and above orange, where both signs are. */
function shade(cells) {
  const values = cells.map((cell) => Number(cell.textContent) || 0);
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const signed = values.some((value) => value < 0);
  cells.forEach((cell, i) => {
    const part = Math.round(Math.abs(values[i]) / most * 100);
    const colour = !signed ? "white" : values[i] < 0 ? "#409cff" : "#ff9620";
    cell.style.backgroundColor = `color-mix(in srgb, ${colour} ${part}%, black)`;
  });
}

/** Build the planes of the source and of the result that steps are about, once for all of them. */
function build(plane) {
  const { ring, shape: [, height, width], flows, channels, planes: source } = link();
  const seen = around(plane, abreast());
  at("channels").hidden = seen.length === flows[plane].length;
  const sources = source === null ? [] : seen.map((k) => {
    const name = [link().source, channels[plane][k]].filter(Boolean).join(" · ");
    const drawn = grid(name, planes(source[flows[plane][k]])[0]);
    drawn.cells.forEach((row, i) => row.forEach((cell, j) => {
      const [y, x] = [i - ring.top, j - ring.left];
      const inside = y >= 0 && x >= 0 && y < ring.height && x < ring.width;
      cell.classList.toggle("ring", !inside);
      cell.addEventListener("pointerenter", () => reading(y, x));
      cell.addEventListener("pointerleave", () => reading(null));
    }));
    return drawn;
  });
  const title = [link().result, link().places[plane]].filter(Boolean).join(" · ");
  const empty = numbered(height).map(() => numbered(width).map(() => "·"));
  const result = grid(title, empty, "choosable");
  result.cells.forEach((row, i) => row.forEach((cell, j) => {
    const step = (plane * height + i) * width + j;
    if (step >= link().steps) return;
    cell.addEventListener("pointerenter", () => { here.hover = step; update(); });
    cell.addEventListener("pointerleave", () => { here.hover = null; update(); });
    cell.addEventListener("click", () => go(step));
  }));
  const middle = made("div", { class: "group" });
  const from = made("div", { class: "group sources" }, ...sources.map((each) => each.figure));
  const sides = [from, middle, result.figure];
  at("panels").replaceChildren(...(link().backward ? sides.reverse() : sides));
  const other = here.comparing && link().flipped;
  const flipped = other ? grid(`${other.operation}: ${link().result}`, empty) : null;
  if (flipped) at("panels").append(flipped.figure);
  shown = { of: builtOf(plane), seen, sources, middle, result, flipped };
}

/** Return what must be the same for two steps to be shown by the same tables. */
const builtOf = (plane) => [here.link, plane, here.comparing, ...around(plane, abreast())].join();

/** Mark the cells of the result whose windows read a cell of the source. */
function reading(y, x) {
  const { rows, columns } = link();
  shown.result.cells.forEach((row, i) => row.forEach((cell, j) => {
    cell.classList.toggle("reads", y !== null && rows[i].includes(y) && columns[j].includes(x));
  }));
}

/** Show the step where we are, or the one that is pointed at. */
function update() {
  if (link().steps === 0) {
    at("panels").replaceChildren("nothing comes out of this call");
    return;
  }
  const step = here.hover ?? here.step;
  const [plane, row, column] = cellOf(step);
  if (shown?.of !== builtOf(plane)) build(plane);
  const { rows, columns, ring, winners } = link();
  for (const { cells } of shown.sources) {
    cells.forEach((line, i) => line.forEach((cell, j) => {
      const inside = rows[row].includes(i - ring.top) && columns[column].includes(j - ring.left);
      const won = winners?.[step];
      cell.classList.toggle("window", inside);
      const wins = won && won[0] === i - ring.top && won[1] === j - ring.left;
      cell.classList.toggle("winner", Boolean(wins));
    }));
  }
  fill(shown.result, link().results, plane, step);
  if (shown.flipped) fill(shown.flipped, link().flipped.results, plane, step);
  const both = shown.flipped ? between(step, link().flipped) : [];
  shown.middle.replaceChildren(...between(step), ...both);
  at("sums").replaceChildren(...sums(step));
  const cut = link().steps < link().of ? ` (${link().steps} of them are here)` : "";
  at("place").textContent = `step ${step} of ${link().of}${cut} · ${placeOf(step)}`
    + (here.hover === null ? "" : " · pointed at");
  // What is only pointed at is not read out, and what flies by neither.
  const still = here.timer === null && (here.hover ?? here.step) === here.step;
  if (still) at("words").textContent = sentence(step);
  at("slider").value = here.step;
  at("slider").setAttribute("aria-valuetext", placeOf(here.step));
}

/** Fill the result as far as it is computed, and mark the cell of a step. */
function fill({ cells, small }, results, plane, marked) {
  const [, height, width] = link().shape;
  const first = plane * height * width;
  const flat = cells.flat();
  flat.forEach((cell, i) => {
    const known = first + i <= here.step && first + i < link().steps;
    const text = known || first + i === marked ? results[first + i] : "·";
    if (cell.textContent !== text) cell.textContent = text;
    cell.classList.toggle("later", !known);
    cell.classList.toggle("result", first + i === marked);
  });
  if (small) {
    const known = flat.filter((cell) => !cell.classList.contains("later"));
    flat.forEach((cell) => { cell.style.backgroundColor = ""; });
    shade(known.filter((cell) => !cell.classList.contains("result")));
  }
}

/** Return the numbers under the window of a step, a plane for each channel that is seen. */
function windows(step) {
  const { windows: kept, planes: source, rows, columns, ring, flows } = link();
  if (kept) return planes(texts(kept, step));
  const [plane, row, column] = cellOf(step);
  return flows[plane].map((from) => {
    const lines = planes(source[from])[0] ?? [];
    return rows[row].map((y) => columns[column].map((x) => lines[y + ring.top][x + ring.left]));
  });
}

/** Return the panels between source and result: window, kernel and products. */
function between(step, computed = link()) {
  const seen = (every) => shown.seen.map((k) => every[k]).filter(Boolean);
  const named = (name) => computed === link() ? name : `${computed.operation}: ${name}`;
  const kernels = seen(planes(texts(computed.kernels, step)));
  const products = seen(planes(texts(computed.products, step)));
  const small = shown.sources.some((source) => source.small) || shown.sources.length === 0;
  const parts = [];
  const zoomed = computed === link() && (small || !kernels.length);
  if (zoomed) parts.push(["window", seen(windows(step))]);
  if (kernels.length) parts.push([named(link().kernel), kernels]);
  if (products.length) parts.push([named("products"), products]);
  return parts.map(([name, every]) =>
    made("div", {}, ...every.map((rows, k) => grid(k ? "" : name, rows).figure)));
}

/** Return the sum of each channel that is seen, and how the sums make the result. */
function sums(step) {
  const ends = texts(link().sums, step);
  if (!ends) return [];
  const [plane] = cellOf(step);
  const every = windows(step), kernels = planes(texts(link().kernels, step));
  const seen = around(plane, SUMS);
  const lines = seen.map((k) => {
    const terms = spelled(every[k], kernels[k], "·", WRITTEN);
    const [sign, result] = ends.split("|")[k].split(" ");
    const name = made("span", { class: "name" }, link().channels[plane][k]);
    const named = link().channels[plane][k] ? [name] : [];
    return made("div", {}, ...named, `${terms} ${sign} `, made("b", {}, result));
  });
  const hidden = link().flows[plane].length - seen.length;
  if (hidden > 0) lines.push(made("div", {}, `… ${hidden} more channels`));
  const equation = texts(link().equations, step);
  if (equation !== link().results[step]) lines.push(made("div", {}, equation));
  return lines;
}

/** Return the products of a window and its weights as they are written, cut short after so many. */
function spelled(window, kernel, times, most) {
  const weights = kernel?.flat();
  const met = (i) => weights ? times + factor(weights[i]) : "";
  const terms = window.flat().map((x, i) => factor(x) + met(i));
  return [...terms.slice(0, most), ...(terms.length > most ? ["…"] : [])].join(" + ");
}

/** Return where in the result the cell of a step is. */
function placeOf(step) {
  const [plane, row, column] = cellOf(step);
  const name = link().places[plane];
  const spot = [[], [`cell ${column}`], [`row ${row}`, `column ${column}`]][link().axes];
  return [name, ...spot].filter(Boolean).join(", ");
}

/** Return the step as a sentence, for those who listen. */
function sentence(step) {
  const kernel = planes(texts(link().kernels, step))[0];
  const [name] = link().channels[cellOf(step)[0]];
  const products = link().spelled
    ? `${name ? `${name}: ` : ""}${spelled(windows(step)[0], kernel, "x", SPOKEN)} ` : "";
  return `step ${step} of ${link().of}, ${placeOf(step)}: ${products}${texts(link().told, step)}`;
}

/** Go to a step, as far as there are any. */
function go(step) {
  here.step = Math.min(Math.max(step, 0), Math.max(link().steps - 1, 0));
  update();
}

/** Go to a link, and to a step of it. */
function follow(number, step) {
  here.link = number;
  here.hover = null;
  at("slider").max = Math.max(link().steps - 1, 0);
  at("compare").hidden = !link().flipped;
  at("formulas").textContent = link().formulas.join(" · ");
  [...at("links").children].forEach((button, i) => {
    button.setAttribute("aria-current", i === number);
  });
  go(step);
}

/** Follow the cell to what is made of it, or back to what it was made from. */
function walk(ways) {
  const way = ways?.[here.step];
  if (way) follow(way[0], way[1]);
  else at("words").textContent = "this cell leads no further";
}

/** Go to what was typed: a step, or row and column. */
function typed(text) {
  const numbers = text.split(/[ ,]+/).filter(Boolean).map(Number);
  const [plane] = cellOf(here.step);
  const [, height, width] = link().shape;
  const [row, column] = numbers;
  if (numbers.length === 1 && Number.isInteger(row)) go(row < 0 ? link().steps + row : row);
  else if (numbers.length === 2 && row >= 0 && row < height && column >= 0 && column < width) {
    go((plane * height + row) * width + column);
  } else at("words").textContent = `${text} is no step: 17 fits, or row and column such as 3,4`;
}

/** Play, or pause. */
function toggle() {
  if (here.timer === null) {
    if (here.step >= link().steps - 1) here.step = 0;
    tick();
  } else pause();
  at("play").textContent = here.timer === null ? "play" : "pause";
}

function tick() {
  here.timer = setTimeout(() => {
    go(here.step + 1);
    if (here.step >= link().steps - 1) pause();
    else tick();
  }, 1000 / SPEEDS[here.speed]);
}

function pause() {
  clearTimeout(here.timer);
  here.timer = null;
  at("play").textContent = "play";
  update();
}

function faster(by) {
  here.speed = Math.min(Math.max(here.speed + by, 0), SPEEDS.length - 1);
  at("speed").textContent = `${SPEEDS[here.speed]}/s`;
}

function compare() {
  here.comparing = !here.comparing && Boolean(link().flipped);
  at("compare").setAttribute("aria-pressed", here.comparing);
  update();
}

function light() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

/** Go to the next plane of the result, same cell. */
function plane(by) {
  const [, height, width] = link().shape;
  const step = here.step + by * height * width;
  if (step >= 0 && step < link().steps) go(step);
}

function channel(by) {
  const [now] = cellOf(here.step);
  const last = Math.max(link().flows[now].length - abreast(), 0);
  here.channel = Math.min(Math.max(here.channel + by, 0), last);
  update();
}

const KEYS = {
  " ": toggle,
  ArrowRight: () => go(here.step + 1),
  ArrowLeft: () => go(here.step - 1),
  ArrowDown: () => go(here.step + link().shape[2]),
  ArrowUp: () => go(here.step - link().shape[2]),
  Home: () => go(0),
  End: () => go(link().steps - 1),
  g: () => at("goto").focus(),
  f: () => plane(1),
  F: () => plane(-1),
  ".": () => channel(1),
  ",": () => channel(-1),
  "]": () => walk(link().into),
  "[": () => walk(link().from),
  c: compare,
  l: light,
  "+": () => faster(1),
  "=": () => faster(1),
  "-": () => faster(-1),
};

document.addEventListener("keydown", (event) => {
  const pressed = event.target.closest("button") && event.key === " ";
  if (pressed || event.target.closest("input, summary") || !(event.key in KEYS)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  KEYS[event.key]();
});
at("first").onclick = KEYS.Home;
at("last").onclick = KEYS.End;
at("back").onclick = KEYS.ArrowLeft;
at("next").onclick = KEYS.ArrowRight;
at("slower").onclick = KEYS["-"];
at("faster").onclick = KEYS["+"];
at("lower").onclick = KEYS[","];
at("upper").onclick = KEYS["."];
at("play").onclick = toggle;
at("compare").onclick = compare;
at("slider").oninput = () => go(Number(at("slider").value));
at("goto").onchange = () => { typed(at("goto").value); at("goto").value = ""; at("goto").blur(); };
at("title").textContent = told.title;
if (told.links.length > 1) {
  at("links").append(...told.links.map((each, i) => {
    const button = made("button", { title: each.heading }, `${i} ${each.operation}`);
    button.onclick = () => follow(i, 0);
    return button;
  }));
}
faster(0);
if (told.links.length) follow(0, 0);
