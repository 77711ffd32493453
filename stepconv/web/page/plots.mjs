/** Curves on a canvas: each batch as a faint dot, and a line through their means. */

const NEWEST = 0.15; // how much of a mean is its newest point's, when there are many
const MOST = 600; // points of a line, however long the training

/** Return the colour of that name in the page's style. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Make a canvas as fine as the screen, and return what draws on it, in the page's own pixels. */
export function sharp(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const draw = canvas.getContext("2d");
  draw.scale(ratio, ratio);
  return { draw, width, height };
}

/** Return the means of what was so far, of which the newest count most. */
function means(values) {
  let mean = 0;
  return values.map((value, i) => (mean += (value - mean) * Math.max(NEWEST, 1 / (i + 1))));
}

/**
 * Draw a curve.
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} values one for each step
 * @param {{title: string, share?: boolean, known?: [number, number][]}} how whether the values end
 *   at 1, and others that are known after some of the steps: [step, value]
 */
export function curve(canvas, values, { title, share = false, known = [] }) {
  const smooth = means(values);
  const top = share ? 1 : Math.ceil(Math.max(1, ...smooth.filter(Number.isFinite)));
  const { draw, width, height } = sharp(canvas);
  const [left, right, above, below] = [34, 8, 18, 18];
  const x = (step) => left + ((width - left - right) * step) / Math.max(1, values.length);
  const y = (value) => height - below - ((height - above - below) * Math.min(value, top)) / top;
  draw.font = "12px system-ui, sans-serif";
  draw.fillStyle = colour("quiet");
  draw.strokeStyle = colour("line");
  for (const share of [0, 0.5, 1]) {
    draw.beginPath();
    draw.moveTo(left, y(share * top));
    draw.lineTo(width - right, y(share * top));
    draw.stroke();
    draw.fillText((share * top).toFixed(1), 4, y(share * top) + 4);
  }
  draw.fillText(title, left, 12);
  draw.fillText(`step ${values.length.toLocaleString("en")}`, width - right - 90, height - 4);

  const every = Math.max(1, Math.floor(values.length / MOST));
  const line = new Path2D();
  values.forEach((value, step) => {
    if (step % every) return;
    draw.globalAlpha = 0.35;
    draw.fillStyle = colour("plus");
    draw.fillRect(x(step), y(value) - 1, 2, 2);
    if (step) line.lineTo(x(step), y(smooth[step]));
    else line.moveTo(x(step), y(smooth[step]));
  });
  draw.globalAlpha = 1;
  draw.strokeStyle = colour("plus");
  draw.lineWidth = 2;
  draw.stroke(line);
  draw.fillStyle = colour("minus");
  for (const [step, value] of known) draw.fillRect(x(step) - 3, y(value) - 3, 6, 6);
  const [mean] = smooth.slice(-1);
  const words = values.length ? `${mean.toFixed(3)} after ${values.length} steps` : "no step yet";
  canvas.setAttribute("aria-label", `${title}: ${words}`);
}
