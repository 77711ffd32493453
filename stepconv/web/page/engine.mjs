/**
 * The engine in a browser: a memory, a table of functions, and the programs that work there.
 *
 * The kernels are the command line's own, as WebAssembly. Nothing is computed here: what a batch
 * is goes into memory, a program runs, and what it found is read. Addresses and numbers of eight
 * bytes are BigInt for JavaScript.
 */

const PAGE = 65536;
const LINE = 64;

/**
 * @param {Uint8Array<ArrayBuffer>} code the module
 * @param {Uint8Array} image what lies in its memory at the beginning, piece after piece
 * @param {any} plan where everything lies, as nn/cpu/layout.py told it
 * @param {number} room bytes for pictures behind all that
 */
export async function engine(code, image, plan, room) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((plan.size + room) / PAGE) });
  const table = new WebAssembly.Table({ element: "anyfunc", initial: plan.table.length + 1 });
  const env = { __linear_memory: memory, __indirect_function_table: table };
  const module = await WebAssembly.compile(code);
  const exports = /** @type {any} */ (new WebAssembly.Instance(module, { env }).exports);
  plan.table.forEach((name, number) => table.set(number + 1, exports[name]));

  const bytes = new Uint8Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const doubles = new Float64Array(memory.buffer);
  const integers = new BigInt64Array(memory.buffer);
  let free = plan.size;
  let read = 0;
  for (const [at, size] of plan.segments) {
    bytes.set(image.subarray(read, read + size), at);
    read += size;
  }

  /** Return room for so many bytes, which begins at a line of the cache. */
  function take(size) {
    const at = Math.ceil(free / LINE) * LINE;
    free = at + size;
    return at;
  }

  /** Run a program on so many images, up to a stage; return how many chunks these are. */
  function run(name, count, controls, stages = plan.programs[name].stage_count) {
    const program = plan.programs[name];
    const chunks = Math.ceil(count / plan.lanes);
    for (const [at, rows] of program.image_tables)
      for (let row = 0; row < rows; row++)
        integers[at / 8 + 4 * row + 1] = BigInt(chunks * plan.lanes);
    for (let stage = program.by_chunks[0]; stage < program.by_chunks[1]; stage++)
      integers[program.stages / 8 + 3 * stage + 2] = BigInt(chunks);
    for (const [key, value] of Object.entries({ ...controls, IMAGES: count, CHUNKS: chunks }))
      integers[program.control / 8 + plan.controls[key]] = BigInt(value);
    exports.run(...[program.rows, program.width, program.stages, stages].map(BigInt));
    return chunks;
  }

  /** Return the numbers of the first image in a tensor: a cell has one for each of a vector. */
  function tensor(at, cells) {
    const numbers = new Float32Array(cells);
    for (let i = 0; i < cells; i++) numbers[i] = floats[at / 4 + i * plan.lanes];
    return numbers;
  }

  return { bytes, floats, doubles, integers, exports, take, run, tensor };
}
