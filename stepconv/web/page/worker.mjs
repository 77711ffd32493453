/**
 * What works beside the page: it trains, answers and looks inside, and says what it found.
 *
 * A question has a number, which the answer repeats. Steps of a training are told unasked.
 */

import { engine } from "./engine.mjs";

const MILLISECONDS = 40; // so long steps are made before questions are listened to

let e, plan, sets, numbers, drawn, labels, order, keys, answers;
let beginning; // what is learnt and remembered when a training begins anew
let running = false;
let steps = 0;
let epoch = 0;
let place = 0; // in the epoch's order
let spent = 0; // milliseconds since the start, and images that were learnt from in them
let seen = 0;
let shuffled = new Int32Array();
let settings = { rate: null, batch: 1, momentum: null, decay: null, seed: 0 };

const asked = { begin, set, start, pause, once, anew, look, judge, weights, load };
const resume = new MessageChannel(); // comes back after all questions that are waiting

addEventListener("message", async ({ data: { number, what, more } }) => {
  try {
    postMessage({ number, answer: await asked[what](more) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
});
resume.port1.onmessage = going;

/** Put module, image and pictures into memory. */
async function begin({ told, parts }) {
  plan = told;
  const { train, test } = parts;
  const picture = plan.picture.shape.reduce((a, b) => a * b) * plan.picture.bytes;
  const room = train.pictures.length + test.pictures.length + picture + 16 * train.labels.length;
  const relaxed = parts.relaxed !== null && WebAssembly.validate(parts.relaxed);
  const code = relaxed ? parts.relaxed : parts.module;
  e = await engine(code, parts.image, plan, room + 16 * plan.programs.train.batch_size + 4096);
  sets = { train: placed(train), test: placed(test) };
  numbers = parts.numbers;
  drawn = e.take(picture);
  labels = e.take(8 * plan.programs.train.batch_size);
  order = e.take(8 * train.labels.length);
  keys = e.take(8 * train.labels.length);
  answers = plan.programs.ask.answers;
  beginning = [plan.learnt, plan.remembered].map(([at, size]) => [at, row(at, size)]);
  return { relaxed };
}

function placed({ pictures, labels }) {
  const at = e.take(pictures.length);
  e.bytes.set(pictures, at);
  return { at, labels, each: pictures.length / (labels.length || 1) };
}

function row(at, size) {
  return e.floats.slice(at / 4, at / 4 + size);
}

function set(more) {
  if (more.seed !== settings.seed) place = 0;
  settings = { ...settings, ...more };
}

function start() {
  running = true;
  [spent, seen] = [0, 0];
  resume.port2.postMessage(0);
}

function pause() {
  running = false;
  postMessage({ event: "stopped", finished: false });
}

function once() {
  running = false;
  told([step()], 0);
}

/** Begin anew with the weights of the file. */
function anew() {
  running = false;
  [steps, epoch, place] = [0, 0, 0];
  for (const [at, values] of beginning) e.floats.set(values, at / 4);
  for (const [at, size] of plan.moments) e.floats.fill(0, at / 4, at / 4 + size);
}

/** Make steps for a while, then let questions come in between. */
function going() {
  if (!running) return;
  const made = [];
  const began = performance.now();
  let now = began;
  while (now - began < MILLISECONDS && !finished()) {
    made.push(step());
    now = performance.now();
  }
  spent += now - began;
  for (const { images } of made) seen += images;
  running = !finished() && made.every(({ loss }) => Number.isFinite(loss));
  if (made.length) told(made, (1000 * seen) / spent);
  if (running) resume.port2.postMessage(0);
  else postMessage({ event: "stopped", finished: finished() });
}

/** Whether the schedule has come to its end; a rate of one's own goes on for ever. */
function finished() {
  return settings.rate === null && steps >= plan.recipe.steps;
}

function told(made, speed) {
  postMessage({ event: "stepped", made, speed, epoch, steps });
}

/** Make a step of the training, as train/loop.py does. */
function step() {
  const { train } = sets;
  if (place === 0) shuffle();
  const count = Math.min(settings.batch, train.labels.length - place);
  for (let i = 0; i < count; i++)
    e.integers[labels / 8 + i] = BigInt(train.labels[shuffled[place + i]]);
  goBy(Math.min(steps, plan.recipe.steps - 1));
  const chunks = e.run("train", count, {
    PIXELS: train.at,
    PIXEL_BYTES: plan.picture.bytes,
    ORDER: order + 8 * place,
    LABELS: labels,
    STEP_KEY: e.exports.step_key(BigInt(settings.seed), BigInt(steps + 1)),
  });
  const [loss, right] = found("train", chunks);
  steps += 1;
  place += count;
  if (place >= train.labels.length) [epoch, place] = [epoch + 1, 0];
  return { step: steps, images: count, loss: loss / count, right: right / count };
}

/** Put the pictures into the order of this epoch. */
function shuffle() {
  const count = sets.train.labels.length;
  e.exports.order_keys(...[keys, count, settings.seed, epoch].map(BigInt));
  const known = new BigUint64Array(e.bytes.buffer, keys, count);
  shuffled = Int32Array.from(known.keys()).sort((a, b) => (known[a] < known[b] ? -1 : 1));
  shuffled.forEach((picture, i) => (e.integers[order / 8 + i] = BigInt(picture)));
}

/** Write down what the update goes by: the recipe's numbers, and what was chosen on the page. */
function goBy(step) {
  const { RATE, DECAY, MOMENTUM, PACE, SHRINK, STEP_NUMBERS } = plan.numbers;
  const now = numbers.slice(step * STEP_NUMBERS, (step + 1) * STEP_NUMBERS);
  if (settings.rate !== null) {
    now[PACE] *= settings.rate / now[RATE] || 0; // rate / (1 - beta1^step), where there is one
    now[RATE] = settings.rate;
  }
  if (settings.momentum !== null) now[MOMENTUM] = settings.momentum;
  if (settings.decay !== null) {
    const apart = plan.recipe.optimizer === "adamw";
    now[apart ? SHRINK : DECAY] = apart ? 1 - now[RATE] * settings.decay : settings.decay;
  }
  e.floats.set(now, plan.programs.train.numbers / 4);
}

/** Return the loss and the number of right answers that a program found. */
function found(program, chunks) {
  const first = plan.programs[program].found / 8;
  const sum = [0, 0];
  for (let c = 0; c < chunks; c++) {
    sum[0] += e.doubles[first + 8 * c];
    sum[1] += e.doubles[first + 8 * c + 1];
  }
  return sum;
}

function ask(at, count) {
  e.run("ask", count, { PIXELS: at, PIXEL_BYTES: plan.picture.bytes, ORDER: 0, ANSWERS: answers });
  return row(answers, count * plan.classes);
}

/** Return all that a network makes of a picture; with a label also what pulls at each number. */
function look({ picture, label }) {
  e.bytes.set(picture, drawn);
  const logits = ask(drawn, 1);
  const sizes = plan.layers.map(({ shape }) => shape.reduce((a, b) => a * b));
  const values = plan.layers.map(({ value }, i) => e.tensor(value, sizes[i]));
  e.integers[labels / 8] = BigInt(label);
  const until = plan.programs.look.by_chunks[1]; // what follows would change the weights
  const controls = { PIXELS: drawn, PIXEL_BYTES: plan.picture.bytes, ORDER: 0, LABELS: labels };
  e.run("look", 1, controls, until);
  const gradients = plan.layers.map(({ gradient }, i) => gradient && e.tensor(gradient, sizes[i]));
  return { logits, values, gradients, loss: found("look", 1)[0] };
}

/** Show the network the test pictures; return which it told wrong, and as what. */
function judge() {
  const { at, labels, each } = sets.test;
  const wrong = [];
  for (let first = 0; first < labels.length; first += plan.lanes) {
    const count = Math.min(plan.lanes, labels.length - first);
    const logits = ask(at + first * each, count);
    for (let i = 0; i < count; i++) {
      const mine = logits.subarray(i * plan.classes, (i + 1) * plan.classes);
      const best = mine.indexOf(Math.max(...mine));
      if (best !== labels[first + i]) wrong.push({ picture: first + i, told: best });
    }
  }
  return { wrong, right: labels.length - wrong.length, count: labels.length };
}

/** Return copies of all arrays that the network has learnt or remembers, by name. */
function weights() {
  return Object.fromEntries(
    Object.entries(plan.arrays).map(([name, { at, shape }]) => [
      name,
      row(
        at,
        shape.reduce((a, b) => a * b, 1),
      ),
    ]),
  );
}

/** Take over arrays by name; the training begins anew with them. */
function load({ arrays }) {
  anew();
  for (const [name, values] of Object.entries(arrays))
    e.floats.set(values, plan.arrays[name].at / 4);
}
