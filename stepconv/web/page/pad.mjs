/** A sheet to draw on with mouse, finger, pen or keys. */

import { shade } from "./maps.mjs";

const SHEET = 84; // cells of the sheet: three for each of MNIST's
const PEN = 4.2; // how far ink reaches from the middle of the pen, in cells
const STEP = 3; // cells that an arrow key moves the pen

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(ink: {cells: Float64Array, rows: number, columns: number}) => void} drawn hears of ink
 * @param {(words: string) => void} say what a screen reader hears of the keys
 */
export function pad(canvas, drawn, say) {
  const ink = { cells: new Float64Array(SHEET * SHEET), rows: SHEET, columns: SHEET };
  let pen = { x: SHEET / 2, y: SHEET / 2 };
  let down = false;
  let focused = false;

  function show() {
    shade(canvas, ink.cells, SHEET, SHEET, 1);
    if (!focused) return;
    const draw = canvas.getContext("2d");
    draw.strokeStyle = down ? "#d55e00" : "#808080";
    draw.strokeRect(pen.x - 2.5, pen.y - 2.5, 5, 5);
  }

  /** Lay ink along a line to a place: dark near it, fading at the rim. */
  function line(to) {
    const length = Math.max(1, Math.ceil(Math.hypot(to.x - pen.x, to.y - pen.y)));
    for (let i = 0; i <= length; i++) {
      const x = pen.x + ((to.x - pen.x) * i) / length;
      const y = pen.y + ((to.y - pen.y) * i) / length;
      for (let row = Math.floor(y - PEN); row <= y + PEN; row++) {
        for (let column = Math.floor(x - PEN); column <= x + PEN; column++) {
          if (row < 0 || column < 0 || row >= SHEET || column >= SHEET) continue;
          const there = Math.min(1, Math.max(0, PEN - Math.hypot(row + 0.5 - y, column + 0.5 - x)));
          ink.cells[row * SHEET + column] = Math.max(ink.cells[row * SHEET + column], there);
        }
      }
    }
    pen = to;
    show();
    drawn(ink);
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * SHEET,
      y: ((event.clientY - box.top) / box.height) * SHEET,
    };
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen = at(event);
    down = true;
    line(pen);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down || !canvas.hasPointerCapture(event.pointerId)) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) line(at(each));
  });
  canvas.addEventListener("pointerup", () => (down = false));

  const keys = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, -STEP],
    ArrowDown: [0, STEP],
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      down = !down;
      if (down) line(pen);
      say(down ? "pen down" : "pen up");
    } else if (event.key in keys) {
      const [x, y] = keys[event.key];
      const to = { x: within(pen.x + x), y: within(pen.y + y) };
      if (down) line(to);
      pen = to;
      say(`row ${Math.round(pen.y / STEP)}, column ${Math.round(pen.x / STEP)}`);
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
    show();
  });
  const focus = (is) => {
    focused = is;
    if (!is) down = false;
    show();
  };
  canvas.addEventListener("focus", () => focus(true));
  canvas.addEventListener("blur", () => focus(false));

  function clear() {
    ink.cells.fill(0);
    show();
    drawn(ink);
    say("the sheet is empty");
  }

  show();
  return { clear, show, ink };
}

function within(place) {
  return Math.min(SHEET - 1, Math.max(1, place));
}
