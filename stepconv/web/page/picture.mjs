/** The picture that the network looks at, of the test or drawn, and what it says of it. */

import { told, element, make, say } from "./parts.mjs";
import { shade, show } from "./maps.mjs";
import { best, look, now, whenLooked } from "./chosen.mjs";
import { pad } from "./pad.mjs";
import { SIDE, centred, plain } from "./centre.mjs";

const [depth, height, width] = told.picture.shape;
const drawable = depth === 1 && told.picture.bytes === 1;
let sheet;

whenLooked(showAnswers);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => sheet.show());

function probabilities(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (z) => Math.exp(z - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function showAnswers() {
  const shares = probabilities(now.looked.logits);
  const first = best(now.looked.logits);
  const rows = element("answers");
  if (!rows.children.length)
    rows.append(
      ...told.class_names.map((name) =>
        make(
          "tr",
          {},
          make("th", { scope: "row", textContent: name }),
          make("td"),
          make("td", {}, make("meter", { min: 0, max: 1 })),
        ),
      ),
    );
  shares.forEach((share, i) => {
    const [, number, bar] = rows.children[i].children;
    rows.children[i].className = i === first ? "best" : "";
    number.textContent = `${(100 * share).toFixed(1)}%`;
    bar.firstChild.value = share;
    bar.firstChild.setAttribute(
      "aria-label",
      `${told.class_names[i]}: ${(100 * share).toFixed(1)}%`,
    );
  });
  const sure = (100 * shares[first]).toFixed(0);
  const words = `The network says ${told.class_names[first]}, ${sure}% sure.`;
  if (!now.running && element("spoken").textContent !== words) say("spoken", words);
}

async function showPicture(picture, label) {
  now.picture = picture;
  now.label = label;
  if (told.picture.bytes === 1) show(element("seen"), picture, told.picture.shape);
  else {
    const numbers = new Float32Array(picture.buffer, picture.byteOffset, height * width);
    shade(element("seen"), numbers, height, width);
  }
  say("right-answer", label === null ? "" : `It is ${told.class_names[label]}.`);
  await look();
}

export async function showTest(number) {
  const count = now.given.test.labels.length;
  if (!count) return;
  const index = ((number % count) + count) % count;
  element("number").value = index;
  const size = now.given.test.pictures.length / count;
  await showPicture(
    now.given.test.pictures.slice(index * size, (index + 1) * size),
    now.given.test.labels[index],
  );
}

function showDrawing(ink) {
  const centring =
    told.form === "digit" && height === SIDE && width === SIDE && element("centre").checked;
  const steps = centring ? centred(ink) : [{ name: "as it is", ...plain(ink, height, width) }];
  element("centre-steps").replaceChildren(
    ...steps.map(({ name, cells, rows, columns }) => {
      const canvas = make("canvas", { className: "pixels map" });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${name}: ${rows} rows, ${columns} columns`);
      shade(canvas, cells, rows, columns);
      return make("figure", {}, canvas, make("figcaption", { textContent: name }));
    }),
  );
  const { cells } = steps[steps.length - 1];
  return showPicture(Uint8Array.from(cells, Math.round), null);
}

export function preparePicture() {
  const number = element("number");
  number.max = now.given.test.labels.length - 1;
  number.addEventListener("change", () => showTest(Number(number.value)));
  element("previous").addEventListener("click", () => showTest(Number(number.value) - 1));
  element("next").addEventListener("click", () => showTest(Number(number.value) + 1));
  const source = (drawn) => {
    element("from-test-parts").hidden = drawn;
    element("from-pad-parts").hidden = !drawn;
    return drawn ? showDrawing(sheet.ink) : showTest(Number(number.value));
  };
  element("from-test").addEventListener("change", () => source(false));
  element("from-pad").addEventListener("change", () => source(true));
  element("from-pad").disabled = !drawable;
  element("centring").hidden = told.form !== "digit" || height !== SIDE || width !== SIDE;
  let drawing = false;
  let again = false;
  // The pen is faster than the answers: what was drawn meanwhile is shown by the next.
  const latest = async (ink) => {
    again = true;
    if (drawing) return;
    drawing = true;
    while (again) {
      again = false;
      await showDrawing(ink);
    }
    drawing = false;
  };
  sheet = pad(element("pad"), latest, (words) => say("pen", words));
  element("clear").addEventListener("click", sheet.clear);
  element("centre").addEventListener("change", () => showDrawing(sheet.ink));
  const label = element("label");
  label.append(make("option", { value: "", textContent: "the right one" }));
  label.append(
    ...told.class_names.map((name, i) => make("option", { value: i, textContent: name })),
  );
  label.addEventListener("change", () => {
    now.pulled = label.value === "" ? null : Number(label.value);
    return look();
  });
}
