/** One map enlarged, a cell of it chosen by mouse or keys, and how that was computed. */

import { told, element, make, say } from "./parts.mjs";
import { largest, plane, shade } from "./maps.mjs";
import { now, whenLooked } from "./chosen.mjs";
import { cellOf, explained, short } from "./explain.mjs";

const [, high, wide] = told.picture.shape;

whenLooked(showCell);

/** Return the numbers of a layer that are shown: its values, or their gradients. */
export function numbersOf(i) {
  return now.looked[now.shown][i] || new Float32Array(now.looked.values[i].length);
}

export function showCell() {
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
  frame("field", ...found.field, high, wide);
  const [[top, bottom], [left, right]] = found.field;
  const seen = `rows ${top} to ${bottom - 1} and columns ${left} to ${right - 1} of the picture`;
  const gradient = now.shown === "gradients" ? ` Its gradient is ${short(number)}.` : "";
  say("where", `${layer.name}, ${found.where}: ${short(found.value)}. It sees ${seen}.${gradient}`);
  element("tables").replaceChildren(...(found.tables ?? []).map(table), ...terms(found.terms));
  showChannels(found);
  if (!now.running && element("sentence").textContent !== found.sentence)
    say("sentence", found.sentence);
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
    select.replaceChildren(
      ...Array.from({ length: channels }, (_, i) => make("option", { value: i, textContent: i })),
    );
  select.value = channel;
}

export function prepareCell() {
  const big = element("big");
  const size = () => plane(told.layers[now.at.layer].shape);
  const move = (row, column) => {
    const { rows, columns } = size();
    now.at.row = Math.min(rows - 1, Math.max(0, row));
    now.at.column = Math.min(columns - 1, Math.max(0, column));
    const flat = told.layers[now.at.layer].shape.length === 1;
    const last = told.layers[now.at.layer].shape[0] - 1;
    if (flat && now.at.row * columns + now.at.column > last)
      now.at.column = last - now.at.row * columns;
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
