/**
 * A drawing as those of MNIST are: 20 of 28 cells high, its weight in the middle.
 *
 * The same steps as in train/data/centre.py, one after the other, so that each can be shown.
 */

export const SIDE = 28;
const BOX = 20;
const FAINT = 0.15; // what is fainter than this share of the brightest ink counts as paper

/**
 * @param {{cells: Float64Array, rows: number, columns: number}} ink from 0 to 1
 * @returns {{name: string, cells: Float64Array, rows: number, columns: number}[]} each step's
 *   picture; the last has 28x28 cells from 0 to 255. An empty sheet has one step, itself.
 */
export function centred(ink) {
  const most = Math.max(...ink.cells);
  if (!most)
    return [
      { name: "nothing is drawn", cells: new Float64Array(SIDE * SIDE), rows: SIDE, columns: SIDE },
    ];
  const cut = cutOut({ ...ink, cells: ink.cells.map((cell) => (cell < FAINT * most ? 0 : cell)) });
  const scale = BOX / Math.max(cut.rows, cut.columns);
  const [rows, columns] = [cut.rows, cut.columns].map((n) => Math.max(1, rounded(n * scale)));
  const small = resized(cut, rows, columns);
  const brightest = Math.max(...small.cells);
  small.cells = small.cells.map((cell) => cell * (255 / brightest));
  return [
    { name: "1. cut out", ...cut },
    { name: `2. ${BOX} cells high or wide`, ...small },
    { name: "3. weight in the middle", ...placed(small) },
  ];
}

/** Return the drawing in cells of the picture, where it is: without any centring. */
export function plain(ink, rows, columns) {
  const small = resized(ink, rows, columns);
  return { ...small, cells: small.cells.map((cell) => 255 * cell) };
}

function cutOut({ cells, rows, columns }) {
  const inked = [...cells.keys()].filter((i) => cells[i]);
  const ys = inked.map((i) => Math.floor(i / columns));
  const xs = inked.map((i) => i % columns);
  const [top, bottom] = [Math.min(...ys), Math.max(...ys) + 1];
  const [left, right] = [Math.min(...xs), Math.max(...xs) + 1];
  return from(bottom - top, right - left, (y, x) => cells[(top + y) * columns + left + x]);
}

/** Return a picture in so many cells; each is the mean of the area that it covers. */
function resized({ cells, rows, columns }, fewRows, fewColumns) {
  const down = shares(rows, fewRows);
  const across = shares(columns, fewColumns);
  const half = from(fewRows, columns, (y, x) =>
    dot(rows, (i) => down[y][i] * cells[i * columns + x]),
  );
  return from(fewRows, fewColumns, (y, x) =>
    dot(columns, (i) => half.cells[y * columns + i] * across[x][i]),
  );
}

/** Return the part that each of `many` cells has in each of `few`: rows add up to 1. */
function shares(many, few) {
  return Array.from({ length: few }, (_, i) => {
    const [start, stop] = [(i * many) / few, ((i + 1) * many) / few];
    return Array.from({ length: many }, (_, cell) => {
      const overlap = Math.min(stop, cell + 1) - Math.max(start, cell);
      return (Math.max(overlap, 0) * few) / many;
    });
  });
}

function placed({ cells, rows, columns }) {
  const weightOfRow = (y) => dot(columns, (x) => cells[y * columns + x]);
  const weightOfColumn = (x) => dot(rows, (y) => cells[y * columns + x]);
  const [top, left] = [begin(rows, weightOfRow), begin(columns, weightOfColumn)];
  return from(SIDE, SIDE, (y, x) => {
    const [i, j] = [y - top, x - left];
    const inside = i >= 0 && i < rows && j >= 0 && j < columns;
    return inside ? rounded(cells[i * columns + j]) : 0;
  });
}

/** Return where to begin so that the centre of the weight is in the middle, and all fits. */
function begin(size, weight) {
  const centre = dot(size, (i) => weight(i) * (i + 0.5)) / dot(size, weight);
  return Math.min(Math.max(rounded(SIDE / 2 - centre), 0), SIDE - size);
}

function from(rows, columns, cell) {
  const cells = Float64Array.from({ length: rows * columns }, (_, i) =>
    cell(Math.floor(i / columns), i % columns),
  );
  return { cells, rows, columns };
}

function dot(count, term) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

/** Round half to even, as Python does. */
function rounded(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 ? up - 1 : up;
}
