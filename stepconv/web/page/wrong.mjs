/** The test pictures that the network gets wrong: each can be looked at. */

import { told, element, make, say } from "./parts.mjs";
import { ask } from "./messages.mjs";
import { show } from "./maps.mjs";
import { now } from "./chosen.mjs";
import { showTest } from "./picture.mjs";

const SHOWN = 60;

element("judge").addEventListener("click", judge);

/** Show the network all test pictures; return the share that it tells right. */
export async function judge() {
  const found = await ask("judge");
  const share = found.count ? found.right / found.count : 0;
  say("judged", found.count ? `${(100 * share).toFixed(2)}%` : "–");
  showWrong(found);
  return share;
}

function showWrong({ wrong, count }) {
  const shown = wrong.slice(0, SHOWN);
  const more = wrong.length > shown.length ? `; the first ${shown.length} are here` : "";
  say("wrong-count", `${wrong.length} of ${count} wrong${more}.`);
  const size = now.given.test.pictures.length / (count || 1);
  element("wrong-pictures").replaceChildren(
    ...shown.map(({ picture, told: said }) => {
      const canvas = make("canvas", { className: "pixels map" });
      const bytes = now.given.test.pictures.subarray(picture * size, (picture + 1) * size);
      if (told.picture.bytes === 1) show(canvas, bytes, told.picture.shape);
      const is = told.class_names[now.given.test.labels[picture]];
      const words = `${is}, told as ${told.class_names[said]}`;
      const button = make(
        "button",
        { type: "button" },
        canvas,
        make("span", { textContent: words }),
      );
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
