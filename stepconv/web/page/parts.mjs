/** What the file holds: data that it tells, parts that are packed, and the worker's script. */

export const told = JSON.parse(element("told").textContent);

/**
 * Return an element of the page by its id.
 * @returns {any}
 */
export function element(id) {
  return document.getElementById(id);
}

/** Let an element say some words. */
export function say(id, words) {
  element(id).textContent = words;
}

/**
 * Make an element with what is inside.
 * @returns {any}
 */
export function make(tag, more = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), more);
  made.append(...inside);
  return made;
}

/** Unpack a part: gzip, as text in base 64. */
export async function part(name) {
  const packed = Uint8Array.from(atob(element(`part-${name}`).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Return all that the worker begins with. */
export async function parts() {
  const names = ["module", "image", "numbers", "train", "train-labels", "test", "test-labels"];
  const [module, image, numbers, train, trainLabels, test, testLabels] = await Promise.all(
    names.map(part),
  );
  const relaxed = element("part-relaxed") ? await part("relaxed") : null;
  return {
    module,
    relaxed,
    image,
    numbers: new Float32Array(numbers.buffer),
    train: { pictures: train, labels: new Int32Array(trainLabels.buffer) },
    test: { pictures: test, labels: new Int32Array(testLabels.buffer) },
  };
}
