/** Numbers in tables; a plane with more columns than can be read is shaded instead. */
import { make } from "./parts.mjs";

const READABLE = 20;

/** Return rows of numbers as a table with a title, and its cells, which are there to be marked. */
export function grid(title, rows, kind = "", readable = READABLE) {
  const cells = rows.map((row) => row.map((text) => make("td", { textContent: text })));
  const small = (rows[0]?.length ?? 0) > readable;
  const lines = cells.map((row) => make("tr", {}, ...row));
  const table = make("table", { className: `${kind} ${small ? "pixels" : ""}` }, ...lines);
  if (small) shade(cells.flat());
  return { figure: make("figure", {}, make("figcaption", {}, title), table), cells, small };
}

/** Shade cells from black to white; below zero blue and above orange, where both signs are. */
export function shade(cells) {
  const values = cells.map((cell) => Number(cell.textContent) || 0);
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const signed = values.some((value) => value < 0);
  cells.forEach((cell, i) => {
    const part = Math.round((Math.abs(values[i]) / most) * 100);
    const colour = !signed ? "white" : values[i] < 0 ? "#409cff" : "#ff9620";
    cell.style.backgroundColor = `color-mix(in srgb, ${colour} ${part}%, black)`;
  });
}
