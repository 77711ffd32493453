/** The steps of an algorithm: words, arrays, what was counted; behind them the table of all. */
import { element, make, say, told } from "./parts.mjs";
import { control, isPlaying } from "./controls.mjs";
import { grid } from "./grids.mjs";

// Arrays come as wide as a page is: none is shaded, what is wider comes as a picture.
const WIDEST = Infinity;
const { pages } = told;
// Where each algorithm begins, and the table behind them.
const starts = pages.flatMap(({ algorithm }, i) =>
  algorithm === pages[i - 1]?.algorithm ? [] : [i]);
let at = 0;

/** Show the page where we are. */
function show() {
  const page = pages[at];
  const cut = pages.length < told.of ? ` (${pages.length} of them are here)` : "";
  const place = `step ${page.number} of ${told.of}${cut} · ${page.algorithm} · ${page.title}`;
  say("place", place);
  // What flies by is not read out.
  element("words").setAttribute("aria-live", isPlaying() ? "off" : "polite");
  element("words").replaceChildren(...page.words.map((text) => make("p", {}, text)));
  element("panels").replaceChildren(...page.panels.map(panel), ...page.table.map(table));
  element("counts").replaceChildren(...page.told.map((text) => make("p", {}, text)));
  element("slider").value = at;
  element("slider").setAttribute("aria-valuetext", place);
  for (const [i, button] of [...element("links").children].entries()) {
    button.setAttribute("aria-current", String(starts[i] === startOf(at)));
  }
}

/** Go to a page, as far as there are any. */
function go(to) {
  at = Math.min(Math.max(to, 0), pages.length - 1);
  show();
}

/** Return where the algorithm of a page begins. */
function startOf(number) {
  return starts.findLast((start) => start <= number);
}

/** Return an array as a table whose cells look as their roles say, or the picture that it is. */
function panel({ title, cells, roles, picture }) {
  if (picture) {
    const image = make("img", { src: picture, alt: title });
    return make("figure", {}, make("figcaption", {}, title), image);
  }
  const made = grid(title, cells.split(";").map((row) => row.split(" ")), "", WIDEST);
  const every = made.cells.flat();
  for (const [role, numbers] of Object.entries(roles)) {
    for (const number of numbers) every[number].classList.add(role);
  }
  return made.figure;
}

/** Return the table of all algorithms. */
function table([head, ...rows]) {
  const names = head.map((text) => make("th", { scope: "col" }, text));
  const lines = rows.map(([name, ...numbers]) =>
    make("tr", {}, make("th", { scope: "row" }, name), ...numbers.map((n) => make("td", {}, n))));
  return make("table", { id: "costs" }, make("tr", {}, ...names), ...lines);
}

/** Go to the step that was typed. */
function typed(text) {
  const number = Number(text);
  if (text.trim() && Number.isInteger(number)) go(number < 0 ? pages.length + number : number);
  else say("words", `${text} is no step: 17 fits`);
}

control(
  { at: () => at, last: () => pages.length - 1, go, show },
  {
    pace: 1,
    typed,
    keys: {
      ArrowRight: () => go(at + 1),
      ArrowLeft: () => go(at - 1),
      "]": () => go(starts.find((start) => start > at) ?? at),
      "[": () => go(starts.findLast((start) => start < at) ?? at),
    },
    buttons: {},
  },
);
say("title", told.title);
element("goto").placeholder = "17";
element("goto").setAttribute("aria-label", "step");
element("slider").max = pages.length - 1;
element("links").append(...starts.map((start) =>
  make("button", { onclick: () => go(start) }, pages[start].algorithm)));
show();
