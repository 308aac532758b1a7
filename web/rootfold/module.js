// The WebAssembly module: all checks and signatures.
import init, * as rootfold from "./wasm/rootfold_wasm.js";

let loading;

/** Loads the module once, from `address` if one is given. */
export function load(address) {
  loading ??= start(address ?? new URL("./wasm/rootfold_wasm_bg.wasm", import.meta.url)).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(address) {
  const url = new URL(address, globalThis.location?.href ?? import.meta.url);
  // Node.js fetches no files.
  const local = url.protocol === "file:" && globalThis.process?.versions?.node;
  const source = local ? (await import("node:fs/promises")).readFile(url) : fetch(url);
  await init({ module_or_path: await source });
  return rootfold;
}
