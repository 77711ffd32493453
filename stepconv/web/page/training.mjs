/** The training: started, paused and changed here, made by the worker, and shown as it goes. */

import { told, element, say } from "./parts.mjs";
import { ask, on } from "./messages.mjs";
import { curve } from "./plots.mjs";
import { look, now } from "./chosen.mjs";
import { judge } from "./wrong.mjs";
import { hash } from "./saving.mjs";

const SHOWN_FOR = 100; // milliseconds: the worker shall train, not show
const losses = []; // of each step
const accuracies = [];
const judged = []; // [step, share of the test pictures told right]
let judgedAt = 0; // the step after which a running training was judged last
let perEpoch = 1;
let differs = false; // whether something is chosen that the recipe does not say
let refreshing = false;
let shownAt = 0;

addEventListener("resize", drawCurves);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCurves);

on("stepped", ({ made, speed, epoch, steps }) => {
  for (const { loss, right } of made) {
    losses.push(loss);
    accuracies.push(right);
  }
  now.changed ||= differs || !told.fresh || steps > told.recipe.steps;
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
  const [last] = losses.slice(-1);
  if (losses.length && !Number.isFinite(last))
    say("status", "The loss is no number any more: begin anew with a smaller learning rate.");
  else if (finished)
    say("status", "The recipe's steps are made; with a rate of your own it goes on.");
  else say("status", "Paused.");
  await settled();
});

function running(is) {
  now.running = is;
  element("start").textContent = is ? "Pause" : "Start";
}

/** Show what a training has come to, when it stands still. */
export async function settled() {
  await look();
  judged.push([losses.length, await judge()]);
  drawCurves();
  await hash();
}

function drawCurves() {
  curve(element("loss-curve"), losses, { title: "loss" });
  curve(element("accuracy-curve"), accuracies, {
    title: "share told right",
    share: true,
    known: judged,
  });
}

/** While a training runs: show where it is, but never ask faster than the worker answers. */
async function refresh() {
  if (refreshing || performance.now() - shownAt < SHOWN_FOR) return;
  refreshing = true;
  const due = losses.length - judgedAt >= perEpoch;
  await look();
  if (due) {
    judgedAt = losses.length;
    judged.push([judgedAt, await judge()]);
  }
  drawCurves();
  refreshing = false;
  shownAt = performance.now();
}

/** Tell the worker what is chosen, and note whether the recipe says it too. */
export function settings() {
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
  perEpoch = Math.ceil(told.pictures.train / chosen.batch);
  differs =
    own ||
    chosen.batch !== told.recipe.batch_size ||
    chosen.momentum !== told.recipe.momentum ||
    chosen.decay !== null ||
    chosen.seed !== told.recipe.seed;
  return ask("set", chosen);
}

export function prepareSettings() {
  const { recipe } = told;
  const names = {
    rate: "lr",
    batch: "batch_size",
    momentum: "momentum",
    decay: "weight_decay",
    seed: "seed",
  };
  for (const [id, name] of Object.entries(names)) element(id).value = recipe[name] ?? "";
  element("batch").max = told.programs.train.batch_size;
  if (recipe.momentum === null) element("momentum").disabled = true;
  say(
    "schedule",
    ` (${recipe.optimizer}, ${recipe.schedule}, ${recipe.steps.toLocaleString("en")} steps)`,
  );
  element("settings").addEventListener("submit", (event) => event.preventDefault());
  element("settings").addEventListener("change", async () => {
    await settings();
    say("status", "The next step takes what was chosen.");
  });
}

export function prepareTraining() {
  for (const id of ["start", "once", "anew", "judge", "save"]) element(id).disabled = false;
  element("start").addEventListener("click", async () => {
    if (now.running) {
      await ask("pause");
      return;
    }
    running(true);
    say("status", "Training …");
    await ask("start");
  });
  element("once").addEventListener("click", async () => {
    running(false);
    await ask("once");
    await settled();
    const loss = losses[losses.length - 1];
    say("status", `One step: loss ${loss.toFixed(3)}.`);
  });
  element("anew").addEventListener("click", async () => {
    running(false);
    await ask("anew");
    now.changed = false;
    forget();
    await settled();
    say("status", "Back at the weights of the file.");
  });
}

/** Begin anew with the weights of a file. */
export async function begunWith(arrays) {
  running(false);
  await ask("load", { arrays });
  now.changed = true; // whatever they come from
  forget();
  await settled();
}

function forget() {
  for (const each of [losses, accuracies, judged]) each.length = 0;
  judgedAt = 0;
  for (const id of ["steps", "epoch"]) say(id, "0");
  for (const id of ["loss", "accuracy", "speed"]) say(id, "–");
}
