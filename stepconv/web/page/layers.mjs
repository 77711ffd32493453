/** What every layer made of the picture, or what pulls at it: a map for each channel. */

import { told, element, make } from "./parts.mjs";
import { largest, plane, shade } from "./maps.mjs";
import { middle, now, whenLooked } from "./chosen.mjs";
import { numbersOf, showCell } from "./cell.mjs";

whenLooked(showMaps);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showMaps);

function titled({ name, kind, shape, slope }) {
  const bent =
    slope === 0 ? " and ReLU" : slope !== undefined && slope !== 1 ? " and leaky ReLU" : "";
  return `${name}: ${kind}${bent}, ${shape.join("×")}`;
}

export function prepareMaps() {
  element("maps").replaceChildren(
    ...told.layers.map((layer, i) => {
      const { planes } = plane(layer.shape);
      const kind = layer.shape.length === 1 ? "map flat" : planes > 40 ? "map deep" : "map";
      const maps = Array.from({ length: planes }, (_, map) => {
        const button = make(
          "button",
          { type: "button" },
          make("canvas", { className: `pixels ${kind}` }),
        );
        button.setAttribute("aria-label", `${layer.name}, map ${map}`);
        button.addEventListener("click", () => choose(middle(i, map)));
        return button;
      });
      return make(
        "div",
        {},
        make("h3", { textContent: titled(layer) }),
        make("div", { className: "maps" }, ...maps),
      );
    }),
  );
  for (const shown of ["values", "gradients"])
    element(shown).addEventListener("change", () => {
      now.shown = shown;
      showMaps();
      showCell();
    });
}

function showMaps() {
  told.layers.forEach((layer, i) => {
    const { planes, rows, columns } = plane(layer.shape);
    const values = numbersOf(i);
    const most = largest(values);
    const buttons = element("maps").children[i].lastChild.children;
    const each = values.length / planes;
    for (let map = 0; map < planes; map++) {
      shade(
        buttons[map].firstChild,
        values.subarray(map * each, (map + 1) * each),
        rows,
        columns,
        most,
      );
      buttons[map].setAttribute("aria-pressed", i === now.at.layer && map === now.at.map);
    }
  });
}

function choose(at) {
  now.at = at;
  showMaps();
  showCell();
  element("cell").scrollIntoView({ block: "nearest" });
}
