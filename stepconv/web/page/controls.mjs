/** What every page that plays has: play and pause, speed, a slider, keys, light and dark. */
import { element, say } from "./parts.mjs";

const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32]; // steps a second
let speed = 0;
let timer = null;
let played = null; // where it is, how far it goes, how to go somewhere, and to show that anew

/** Tell whether steps follow each other by themselves. */
export function isPlaying() {
  return timer !== null;
}

/** Play from here, from the first step on if this is the last, or pause. */
function toggle() {
  if (isPlaying()) {
    pause();
    return;
  }
  if (played.at() >= played.last()) played.go(0);
  say("play", "pause");
  tick();
}

function tick() {
  timer = setTimeout(() => {
    played.go(played.at() + 1);
    if (played.at() >= played.last()) pause();
    else tick();
  }, 1000 / SPEEDS[speed]);
}

function pause() {
  clearTimeout(timer);
  timer = null;
  say("play", "play");
  played.show();
}

function faster(by) {
  speed = Math.min(Math.max(speed + by, 0), SPEEDS.length - 1);
  say("speed", `${SPEEDS[speed]}/s`);
}

/** Change between light and dark. */
function light() {
  const { dataset } = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  dataset.theme = (dataset.theme ?? system) === "dark" ? "light" : "dark";
}

/** Let keys, buttons (each does what a key does), the slider and what is typed move what plays. */
export function control(whatPlays, { pace, typed, keys, buttons }) {
  played = whatPlays;
  const every = {
    " ": toggle,
    Home: () => played.go(0),
    End: () => played.go(played.last()),
    g: () => element("goto").focus(),
    l: light,
    "?": () => element("keys").toggleAttribute("open"),
    "+": () => faster(1),
    "=": () => faster(1),
    "-": () => faster(-1),
    ...keys,
  };
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const pressed = target.closest("button") && event.key === " ";
    if (pressed || target.closest("input, summary") || !(event.key in every)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    every[event.key]();
  });
  const shared = {
    first: "Home", back: "ArrowLeft", play: " ", next: "ArrowRight", last: "End",
    slower: "-", faster: "+",
  };
  for (const [id, key] of Object.entries({ ...shared, ...buttons })) {
    element(id).onclick = every[key];
  }
  element("slider").oninput = () => played.go(Number(element("slider").value));
  element("goto").onchange = () => {
    typed(element("goto").value);
    element("goto").value = "";
    element("goto").blur();
  };
  faster(SPEEDS.indexOf(pace));
}
