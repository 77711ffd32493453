/** The weights saved as a file, and taken from one. */

import { told, element, make, say } from "./parts.mjs";
import { ask } from "./messages.mjs";
import { now } from "./chosen.mjs";
import { read, sha256, written } from "./weights.mjs";

/** Return the network as a file; it says if it was not made by its recipe. */
async function file() {
  const metadata = { ...told.metadata };
  if (now.relaxed) metadata.relaxed = JSON.stringify(true);
  if (now.changed) metadata.changed = JSON.stringify("on a page, not by the recipe alone");
  return written(await ask("weights"), told.arrays, metadata);
}

/** Show the SHA-256 of the file that would be saved. */
export async function hash() {
  if (!globalThis.crypto?.subtle) return say("hash", "this browser computes none for such a page");
  say("hash", await sha256(await (await file()).arrayBuffer()));
}

/** Make the buttons work; `begin` is given what is in a file that was loaded. */
export function prepareFile(begin) {
  element("save").addEventListener("click", async () => {
    const link = make("a", {
      href: URL.createObjectURL(await file()),
      download: "model.safetensors",
    });
    link.click();
    URL.revokeObjectURL(link.href);
    say("file-status", "model.safetensors is saved.");
  });
  element("load").addEventListener("change", async () => {
    const [chosen] = element("load").files;
    if (!chosen) return;
    try {
      await begin(await read(chosen, told.arrays));
      say("file-status", `${chosen.name} is loaded.`);
    } catch (error) {
      say("file-status", error.message);
    }
  });
}
