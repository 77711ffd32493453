/** Questions to the worker, each of which is answered, and events that it tells unasked. */

import { element } from "./parts.mjs";

const script = new Blob([element("worker").textContent], { type: "text/javascript" });
const worker = new Worker(URL.createObjectURL(script));
const waiting = new Map();
const listening = {};
let numbers = 0;

worker.addEventListener("message", ({ data }) => {
  if (data.event) return listening[data.event](data);
  const { resolve, reject } = waiting.get(data.number);
  waiting.delete(data.number);
  if (data.error) reject(new Error(data.error));
  else resolve(data.answer);
});

// A worker that cannot begin answers nothing: whoever waits has to hear of it.
worker.addEventListener("error", ({ message }) => {
  for (const { reject } of waiting.values())
    reject(new Error(message || "its worker cannot begin"));
});

/** Ask the worker; the answer comes as a promise. */
export function ask(what, more = {}) {
  const number = (numbers += 1);
  worker.postMessage({ number, what, more });
  return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
}

/** Say who is told of an event. */
export function on(event, listener) {
  listening[event] = listener;
}
