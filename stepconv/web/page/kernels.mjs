/** The kernels of a layer as they are now, or what has become of them. */

import { told, element, make } from "./parts.mjs";
import { largest, shade } from "./maps.mjs";
import { now, whenLooked } from "./chosen.mjs";

whenLooked(showKernels);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showKernels);

export function prepareKernels() {
  const layers = told.layers.filter(({ kind }) => kind === "conv");
  element("kernels").hidden = !layers.length;
  element("kernel-layer").append(
    ...layers.map(({ name }) => make("option", { value: name, textContent: name })),
  );
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
      canvas.setAttribute(
        "aria-label",
        `filter ${Math.floor(i / channels)}, channel ${i % channels}`,
      );
      return make("figure", {}, canvas);
    });
    box.replaceChildren(...canvases);
  }
  for (let i = 0; i < filters * channels; i++)
    shade(
      box.children[i].firstChild,
      values.subarray(i * each, (i + 1) * each),
      rows,
      columns,
      most,
    );
}
