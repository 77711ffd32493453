/** A network as a .safetensors file, byte for byte as `stepconv train` writes it, and back. */

const LENGTH = 8; // bytes that say how long the header is; the header's own is a multiple of them

/**
 * Return the file of a network.
 * @param {Record<string, Float32Array<ArrayBuffer>>} arrays in the order of the file
 * @param {Record<string, {shape: number[]}>} known
 * @param {Record<string, string>} metadata
 */
export async function written(arrays, known, metadata) {
  const sha256 = await digest(arrays, known, metadata);
  const header = { __metadata__: { ...metadata, sha256 } };
  let end = 0;
  for (const [name, values] of Object.entries(arrays)) {
    const offsets = [end, (end += values.byteLength)];
    header[name] = { dtype: "F32", shape: known[name].shape, data_offsets: offsets };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / LENGTH) * LENGTH).fill(32);
  padded.set(text);
  const length = new BigUint64Array([BigInt(padded.length)]);
  return new Blob([length, padded, ...Object.values(arrays)]);
}

/** Return the arrays of a file, if they are those of this network. */
export async function read(file, known) {
  const bytes = await file.arrayBuffer();
  let header;
  let data;
  try {
    data = LENGTH + Number(new BigUint64Array(bytes.slice(0, LENGTH))[0]);
    header = JSON.parse(new TextDecoder().decode(bytes.slice(LENGTH, data)));
  } catch {
    throw new Error(`${file.name} is no safetensors file`);
  }
  const arrays = {};
  for (const [name, { shape }] of Object.entries(known)) {
    const entry = header[name];
    if (!entry) throw new Error(`${file.name} lacks ${name}, which this network needs`);
    if (entry.dtype !== "F32" || String(entry.shape) !== String(shape))
      throw new Error(
        `${file.name} is another network's: ${name} is ${entry.dtype} ${entry.shape}, not ${shape}`,
      );
    const [start, stop] = entry.data_offsets;
    arrays[name] = new Float32Array(bytes.slice(data + start, data + stop));
  }
  return arrays;
}

/** Return the SHA-256 of bytes, in hexadecimal. */
export async function sha256(content) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the SHA-256 of names, shapes, types, numbers and metadata: see nn/checkpoint.py. */
async function digest(arrays, known, metadata) {
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const told = [
    `[${pairs.map(([key, value]) => `[${quoted(key)}, ${quoted(value)}]`).join(", ")}]`,
  ];
  for (const name of Object.keys(arrays).sort())
    told.push(`[${quoted(name)}, "<f4", [${known[name].shape.join(", ")}]]`, arrays[name]);
  return sha256(await new Blob(told).arrayBuffer());
}

/** Return a text in quotes as Python's json has it: what is not ASCII by its number. */
function quoted(text) {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
