/** The page of a network is put together here: its parts unpacked, the worker begun. */

import { told, parts, say } from "./parts.mjs";
import { ask } from "./messages.mjs";
import { now } from "./chosen.mjs";
import { preparePicture, showTest } from "./picture.mjs";
import { prepareCell } from "./cell.mjs";
import { prepareMaps } from "./layers.mjs";
import { prepareKernels } from "./kernels.mjs";
import { prepareFile } from "./saving.mjs";
import { begunWith, prepareSettings, prepareTraining, settings, settled } from "./training.mjs";

async function open() {
  document.title = `${told.name} on ${told.data}`;
  say("title", `${told.name} learns ${told.data}`);
  say(
    "subtitle",
    `${told.about} ${told.pictures.train.toLocaleString("en")} pictures to learn from, ` +
      `${told.pictures.test.toLocaleString("en")} to judge by.`,
  );
  say("made", `Made by stepconv ${told.version}. This page asks no server for anything.`);
  now.given = await parts();
  prepareSettings();
  prepareMaps();
  prepareKernels();
  prepareCell();
  now.relaxed = (await ask("begin", { told, parts: now.given })).relaxed;
  await settings();
  now.opened = await ask("weights");
  preparePicture();
  await showTest(0);
  await settled();
  prepareTraining();
  prepareFile(begunWith);
  const note = told.recipe.augment
    ? " The page does not change pictures on the way, as --augment does."
    : "";
  say("status", `Ready.${note}`);
}

open().catch((error) => say("status", `This page does not work here: ${error.message}`));
