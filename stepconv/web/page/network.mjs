/** The page of a network: its parts found, the worker asked, what comes back shown. */

import { told, element, parts } from "./parts.mjs";
import { ask, on } from "./messages.mjs";
import { curve } from "./plots.mjs";
import { largest, plane, shade, show } from "./maps.mjs";
import { SIDE, centred, plain } from "./centre.mjs";
import { pad } from "./pad.mjs";
import { cellOf, explained, short } from "./explain.mjs";
import { read, sha256, written } from "./weights.mjs";

const WRONG_SHOWN = 60;
const [depth, height, width] = told.picture.shape;
const drawable = depth === 1 && told.picture.bytes === 1;

/** What the page shows now. */
const now = {
  picture: new Uint8Array(),
  label: null, // the right answer, where it is known
  looked: null, // what the worker found in the picture
  weights: {},
  opened: {}, // the weights that the page was opened with
  shown: "values",
  at: { layer: 1, map: 0, row: 0, column: 0, channel: 0 },
  losses: [],
  accuracies: [],
  judged: [],
  running: false,
  changed: false, // whether anything was chosen that the recipe does not say
};
let given; // the pictures of the file
let sheet;

function say(id, words) {
  element(id).textContent = words;
}

function make(tag, more = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), more);
  made.append(...inside);
  return made;
}

// Training.

on("stepped", ({ made, speed, epoch, steps }) => {
  for (const { loss, right } of made) {
    now.losses.push(loss);
    now.accuracies.push(right);
  }
  const last = made[made.length - 1];
  say("steps", steps.toLocaleString("en"));
  say("epoch", String(epoch));
  say("loss", last.loss.toFixed(3));
  say("accuracy", `${(100 * last.right).toFixed(0)}%`);
  if (speed) say("speed", Math.round(speed).toLocaleString("en"));
  refresh();
});

on("stopped", async ({ finished }) => {
  running(false);
  const bad = now.losses.length && !Number.isFinite(now.losses[now.losses.length - 1]);
  const over = finished ? "The recipe's steps are made." : "Paused.";
  say("status", bad ? "The loss is no number any more: begin anew with a smaller learning rate." : over);
  await settled();
});

function running(is) {
  now.running = is;
  element("start").textContent = is ? "Pause" : "Start";
}

/** Show what a training has come to, when it stands still. */
async function settled() {
  await look({ judge: true });
  drawCurves();
  await hash();
}

function drawCurves() {
  const top = Math.max(1, Math.ceil(Math.max(0, ...now.losses.slice(0, 20).filter(Number.isFinite))));
  curve(element("loss-curve"), now.losses, { title: "loss", top: Math.min(top, 5) });
  curve(element("accuracy-curve"), now.accuracies, { title: "share told right", top: 1, known: now.judged });
}

/** While a training runs: show where it is, but never ask faster than the worker answers. */
let refreshing = false;
let judgedAt = 0;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  const due = now.losses.length - judgedAt >= now.perEpoch;
  await look({ judge: due });
  if (due) judgedAt = now.losses.length;
  drawCurves();
  refreshing = false;
}

async function judge() {
  const found = await ask("judge");
  const share = found.count ? found.right / found.count : 0;
  say("judged", found.count ? `${(100 * share).toFixed(2)}%` : "–");
  now.judged.push([now.losses.length, share]);
  showWrong(found);
}

function settings() {
  const number = (id) => Number(element(id).value);
  const own = !element("follow").checked;
  element("rate").disabled = !own;
  const chosen = {
    rate: own ? number("rate") : null,
    batch: Math.min(Math.max(1, number("batch") | 0), told.programs.train.batch_size),
    momentum: told.recipe.momentum === null ? null : number("momentum"),
    decay: number("decay") === told.recipe.weight_decay ? null : number("decay"),
    seed: Math.max(0, Math.floor(number("seed"))),
  };
  now.perEpoch = Math.ceil(told.pictures.train / chosen.batch);
  now.changed =
    own ||
    chosen.batch !== told.recipe.batch_size ||
    chosen.momentum !== told.recipe.momentum ||
    chosen.decay !== null ||
    chosen.seed !== told.recipe.seed;
  return ask("set", chosen);
}

function prepareSettings() {
  const { recipe } = told;
  const names = { rate: "lr", batch: "batch_size", momentum: "momentum", decay: "weight_decay", seed: "seed" };
  for (const [id, name] of Object.entries(names)) element(id).value = recipe[name] ?? "";
  element("batch").max = told.programs.train.batch_size;
  if (recipe.momentum === null) element("momentum").disabled = true;
  say("schedule", ` (${recipe.optimizer}, ${recipe.schedule}, ${recipe.steps.toLocaleString("en")} steps)`);
  element("settings").addEventListener("submit", (event) => event.preventDefault());
  element("settings").addEventListener("change", async () => {
    await settings();
    say("status", "The next step takes what was chosen.");
  });
}

function prepareTraining() {
  for (const id of ["start", "once", "anew", "judge", "save"]) element(id).disabled = false;
  element("start").addEventListener("click", async () => {
    if (now.running) return ask("pause").then(() => {});
    running(true);
    say("status", "Training …");
    await ask("start");
  });
  element("once").addEventListener("click", async () => {
    running(false);
    await ask("once");
    await settled();
    const loss = now.losses[now.losses.length - 1];
    say("status", `One step: loss ${loss.toFixed(3)}.`);
  });
  element("anew").addEventListener("click", async () => {
    running(false);
    await ask("anew");
    forget();
    await settled();
    say("status", "Back at the weights of the file.");
  });
  element("judge").addEventListener("click", judge);
}

function forget() {
  [now.losses, now.accuracies, now.judged, judgedAt] = [[], [], [], 0];
  for (const id of ["steps", "epoch"]) say(id, "0");
  for (const id of ["loss", "accuracy", "speed"]) say(id, "–");
}

// The picture.

async function look({ judge: judges = false } = {}) {
  const likely = now.looked ? best(now.looked.logits) : 0;
  const chosen = element("label").value;
  const label = chosen === "" ? (now.label ?? likely) : Number(chosen);
  now.looked = await ask("look", { picture: now.picture, label });
  now.weights = await ask("weights");
  showAnswers();
  showMaps();
  showCell();
  showKernels();
  if (judges) await judge();
}

function best(logits) {
  return logits.indexOf(Math.max(...logits));
}

function probabilities(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (z) => Math.exp(z - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function showAnswers() {
  const shares = probabilities(now.looked.logits);
  const first = best(now.looked.logits);
  const rows = element("answers");
  if (!rows.children.length)
    rows.append(
      ...told.class_names.map((name) =>
        make("tr", {}, make("th", { scope: "row", textContent: name }), make("td"), make("td", {}, make("meter", { min: 0, max: 1 }))),
      ),
    );
  shares.forEach((share, i) => {
    const [, number, bar] = rows.children[i].children;
    rows.children[i].className = i === first ? "best" : "";
    number.textContent = `${(100 * share).toFixed(1)}%`;
    bar.firstChild.value = share;
    bar.firstChild.setAttribute("aria-label", `${told.class_names[i]}: ${(100 * share).toFixed(1)}%`);
  });
  const words = `The network says ${told.class_names[first]}, ${(100 * shares[first]).toFixed(0)}% sure.`;
  if (!now.running && element("spoken").textContent !== words) say("spoken", words);
}

async function showPicture(picture, label) {
  now.picture = picture;
  now.label = label;
  if (told.picture.bytes === 1) show(element("seen"), picture, told.picture.shape);
  else {
    const numbers = new Float32Array(picture.buffer, picture.byteOffset, height * width);
    shade(element("seen"), numbers, height, width);
  }
  say("right-answer", label === null ? "" : `It is ${told.class_names[label]}.`);
  await look();
}

async function showTest(number) {
  const count = given.test.labels.length;
  if (!count) return;
  const index = ((number % count) + count) % count;
  element("number").value = index;
  const size = given.test.pictures.length / count;
  await showPicture(given.test.pictures.slice(index * size, (index + 1) * size), given.test.labels[index]);
}

function showDrawing(ink) {
  const centring = told.form === "digit" && height === SIDE && width === SIDE && element("centre").checked;
  const steps = centring ? centred(ink) : [{ name: "as it is", ...plain(ink, height, width) }];
  element("centre-steps").replaceChildren(
    ...steps.map(({ name, cells, rows, columns }) => {
      const canvas = make("canvas", { className: "pixels map" });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${name}: ${rows} rows, ${columns} columns`);
      shade(canvas, cells, rows, columns);
      return make("figure", {}, canvas, make("figcaption", { textContent: name }));
    }),
  );
  const { cells } = steps[steps.length - 1];
  return showPicture(Uint8Array.from(cells, Math.round), null);
}

function preparePicture() {
  const number = element("number");
  number.max = given.test.labels.length - 1;
  number.addEventListener("change", () => showTest(Number(number.value)));
  element("previous").addEventListener("click", () => showTest(Number(number.value) - 1));
  element("next").addEventListener("click", () => showTest(Number(number.value) + 1));
  const source = (drawn) => {
    element("from-test-parts").hidden = drawn;
    element("from-pad-parts").hidden = !drawn;
    return drawn ? showDrawing(sheet.ink) : showTest(Number(number.value));
  };
  element("from-test").addEventListener("change", () => source(false));
  element("from-pad").addEventListener("change", () => source(true));
  element("from-pad").disabled = !drawable;
  element("centring").hidden = told.form !== "digit" || height !== SIDE || width !== SIDE;
  let drawing = false;
  let again = null;
  const latest = async (ink) => {
    again = ink;
    if (drawing) return;
    drawing = true;
    while (again) {
      again = null;
      await showDrawing(ink);
    }
    drawing = false;
  };
  sheet = pad(element("pad"), latest, (words) => say("spoken", words));
  element("clear").addEventListener("click", sheet.clear);
  element("centre").addEventListener("change", () => showDrawing(sheet.ink));
  const label = element("label");
  label.append(make("option", { value: "", textContent: "the right one" }));
  label.append(...told.class_names.map((name, i) => make("option", { value: i, textContent: name })));
  label.addEventListener("change", () => look());
}

// Layers.

function titled({ name, kind, shape, slope }) {
  const bent = slope === 0 ? " and ReLU" : slope !== undefined && slope !== 1 ? " and leaky ReLU" : "";
  return `${name}: ${kind}${bent}, ${shape.join("×")}`;
}

function prepareMaps() {
  element("maps").replaceChildren(
    ...told.layers.map((layer, i) => {
      const { planes, rows } = plane(layer.shape);
      const kind = layer.shape.length === 1 ? "map flat" : planes > 40 ? "map deep" : "map";
      const maps = Array.from({ length: planes }, (_, map) => {
        const button = make("button", { type: "button" }, make("canvas", { className: `pixels ${kind}` }));
        button.setAttribute("aria-label", `${layer.name}, map ${map}`);
        button.addEventListener("click", () => choose({ layer: i, map, row: 0, column: 0, channel: 0 }, rows));
        return button;
      });
      return make("div", {}, make("h3", { textContent: titled(layer) }), make("div", { className: "maps" }, ...maps));
    }),
  );
  for (const radio of document.getElementsByName("shown"))
    radio.addEventListener("change", () => {
      now.shown = radio.value;
      showMaps();
      showCell();
    });
}

function numbersOf(i) {
  return now.looked[now.shown][i] || new Float32Array(now.looked.values[i].length);
}

function showMaps() {
  told.layers.forEach((layer, i) => {
    const { planes, rows, columns } = plane(layer.shape);
    const values = numbersOf(i);
    const most = largest(values);
    const buttons = element("maps").children[i].lastChild.children;
    const each = values.length / planes;
    for (let map = 0; map < planes; map++) {
      shade(buttons[map].firstChild, values.subarray(map * each, (map + 1) * each), rows, columns, most);
      buttons[map].setAttribute("aria-pressed", i === now.at.layer && map === now.at.map);
    }
  });
}

function choose(at) {
  const { rows, columns } = plane(told.layers[at.layer].shape);
  now.at = { ...at, row: Math.floor(rows / 2), column: Math.floor(columns / 2) };
  showMaps();
  showCell();
  element("cell").scrollIntoView({ block: "nearest" });
}

// One cell.

function showCell() {
  const { at } = now;
  const layer = told.layers[at.layer];
  const { planes, rows, columns } = plane(layer.shape);
  const values = numbersOf(at.layer);
  const each = values.length / planes;
  const big = element("big");
  shade(big, values.subarray(at.map * each, (at.map + 1) * each), rows, columns, largest(values));
  frame("cursor", [at.row, at.row + 1], [at.column, at.column + 1], rows, columns);

  const found = explained(told, now.looked.values, now.weights, at);
  const number = values[cellOf(layer, at)];
  big.setAttribute("aria-label", `${layer.name}, map ${at.map}: arrow keys choose a cell`);
  frame("field", ...found.field, height, width);
  const [[top, bottom], [left, right]] = found.field;
  const seen = `sees rows ${top} to ${bottom - 1} and columns ${left} to ${right - 1} of the picture`;
  const gradient = now.shown === "gradients" ? ` Its gradient is ${short(number)}.` : "";
  say("where", `${layer.name}, ${found.where}: ${short(found.value)}. It ${seen}.${gradient}`);
  element("tables").replaceChildren(...(found.tables ?? []).map(table), ...terms(found.terms));
  showChannels(found);
  const sums = found.sums && found.sums.length > 1;
  say("sums", sums ? `Sums of the channels: ${found.sums.map(short).join(", ")}.` : "");
  if (!now.running && element("sentence").textContent !== found.sentence) say("sentence", found.sentence);
}

/** Frame cells [start, stop) of a square that shows so many rows and columns. */
function frame(id, [top, bottom], [left, right], rows, columns) {
  const box = element(id);
  box.hidden = false;
  box.style.top = `${(100 * top) / rows}%`;
  box.style.height = `${(100 * (bottom - top)) / rows}%`;
  box.style.left = `${(100 * left) / columns}%`;
  box.style.width = `${(100 * (right - left)) / columns}%`;
}

function table({ name, cells }) {
  const lines = cells.map((line) =>
    make("tr", {}, ...line.map((cell) => make("td", { textContent: short(cell) }))),
  );
  return make("table", {}, make("caption", { textContent: name }), make("tbody", {}, ...lines));
}

function terms(found) {
  if (!found) return [];
  const cells = found.map(({ x, w, product }) => [x, w, product]);
  return [table({ name: "input · weight = product, the largest first", cells })];
}

function showChannels({ channels, channel }) {
  const select = element("channel");
  element("channels").hidden = !channels || channels === 1;
  if (!channels) return;
  if (select.children.length !== channels)
    select.replaceChildren(...Array.from({ length: channels }, (_, i) => make("option", { value: i, textContent: i })));
  select.value = channel;
}

function prepareCell() {
  const big = element("big");
  const size = () => plane(told.layers[now.at.layer].shape);
  const move = (row, column) => {
    const { rows, columns } = size();
    now.at.row = Math.min(rows - 1, Math.max(0, row));
    now.at.column = Math.min(columns - 1, Math.max(0, column));
    const flat = told.layers[now.at.layer].shape.length === 1;
    const last = told.layers[now.at.layer].shape[0] - 1;
    if (flat && now.at.row * columns + now.at.column > last) now.at.column = last - now.at.row * columns;
    showCell();
  };
  big.addEventListener("click", (event) => {
    const box = big.getBoundingClientRect();
    const { rows, columns } = size();
    move(
      Math.floor(((event.clientY - box.top) / box.height) * rows),
      Math.floor(((event.clientX - box.left) / box.width) * columns),
    );
  });
  const keys = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  big.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    const [down, across] = keys[event.key];
    move(now.at.row + down, now.at.column + across);
  });
  element("channel").addEventListener("change", () => {
    now.at.channel = Number(element("channel").value);
    showCell();
  });
}

// Kernels.

function prepareKernels() {
  const layers = told.layers.filter(({ kind }) => kind === "conv");
  element("kernels").hidden = !layers.length;
  element("kernel-layer").append(...layers.map(({ name }) => make("option", { value: name, textContent: name })));
  for (const id of ["kernel-layer", "changes"]) element(id).addEventListener("change", showKernels);
}

function showKernels() {
  const name = `${element("kernel-layer").value}.weight`;
  if (!(name in now.weights)) return;
  const [filters, channels, rows, columns] = told.arrays[name].shape;
  const before = now.opened[name];
  const changes = element("changes").checked;
  const values = changes ? now.weights[name].map((w, i) => w - before[i]) : now.weights[name];
  const most = largest(values);
  const box = element("kernel-maps");
  const each = rows * columns;
  if (box.dataset.shown !== name) {
    box.dataset.shown = name;
    const canvases = Array.from({ length: filters * channels }, (_, i) => {
      const canvas = make("canvas", { className: `pixels map ${channels > 1 ? "deep" : ""}` });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `filter ${Math.floor(i / channels)}, channel ${i % channels}`);
      return make("figure", {}, canvas);
    });
    box.replaceChildren(...canvases);
  }
  for (let i = 0; i < filters * channels; i++)
    shade(box.children[i].firstChild, values.subarray(i * each, (i + 1) * each), rows, columns, most);
}

// What it gets wrong.

function showWrong({ wrong, count }) {
  const shown = wrong.slice(0, WRONG_SHOWN);
  const more = wrong.length > shown.length ? `; the first ${shown.length} are here` : "";
  say("wrong-count", `${wrong.length} of ${count} wrong${more}.`);
  const size = given.test.pictures.length / (count || 1);
  element("wrong-pictures").replaceChildren(
    ...shown.map(({ picture, told: said }) => {
      const canvas = make("canvas", { className: "pixels map" });
      const bytes = given.test.pictures.subarray(picture * size, (picture + 1) * size);
      if (told.picture.bytes === 1) show(canvas, bytes, told.picture.shape);
      const is = told.class_names[given.test.labels[picture]];
      const words = `${is}, told as ${told.class_names[said]}`;
      const button = make("button", { type: "button" }, canvas, make("span", { textContent: words }));
      button.setAttribute("aria-label", `test picture ${picture}: ${words}. Look at it`);
      button.addEventListener("click", () => {
        element("from-test").checked = true;
        element("from-test").dispatchEvent(new Event("change"));
        showTest(picture);
        element("picture").scrollIntoView({ block: "nearest" });
      });
      return button;
    }),
  );
}

// Weights as a file.

async function file() {
  const metadata = { ...told.metadata };
  if (now.changed) metadata.changed = JSON.stringify("other settings than the recipe's, on a page");
  return written(await ask("weights"), told.arrays, metadata);
}

async function hash() {
  if (!globalThis.crypto?.subtle) return say("hash", "this browser computes none for such a page");
  say("hash", await sha256(await (await file()).arrayBuffer()));
}

function prepareFile() {
  element("save").addEventListener("click", async () => {
    const link = make("a", { href: URL.createObjectURL(await file()), download: "model.safetensors" });
    link.click();
    URL.revokeObjectURL(link.href);
    say("file-status", "model.safetensors is saved.");
  });
  element("load").addEventListener("change", async (event) => {
    const [chosen] = event.target.files;
    if (!chosen) return;
    try {
      const arrays = await read(chosen, told.arrays);
      running(false);
      await ask("load", { arrays });
      now.changed = true;
      forget();
      await settled();
      say("file-status", `${chosen.name} is loaded.`);
    } catch (error) {
      say("file-status", error.message);
    }
  });
}

async function open() {
  document.title = `${told.name} on ${told.data}`;
  say("title", `${told.name} learns ${told.data}`);
  say("subtitle", `${told.about} ${told.pictures.train.toLocaleString("en")} pictures to learn from, ` +
    `${told.pictures.test.toLocaleString("en")} to judge by.`);
  say("made", `Made by stepconv ${told.version}. This page asks no server for anything.`);
  given = await parts();
  prepareSettings();
  prepareMaps();
  prepareKernels();
  prepareCell();
  await ask("begin", { told, parts: given });
  await settings();
  now.opened = await ask("weights");
  preparePicture();
  await showTest(0);
  if (!given.test.labels.length && drawable) element("from-pad").click();
  await settled();
  prepareTraining();
  prepareFile();
  const note = told.recipe.augment ? " The page does not change pictures on the way, as --augment does." : "";
  say("status", `Ready.${note}`);
  addEventListener("resize", drawCurves);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawCurves();
    showMaps();
    showKernels();
    sheet.show();
  });
}

open().catch((error) => say("status", `This page does not work here: ${error.message}`));
