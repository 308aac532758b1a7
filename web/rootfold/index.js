// Opens a space in a worker, so that no check blocks the page. Where there are no workers (Node.js), the client runs
// in this thread.
import { fromPlain, NetworkError } from "./errors.js";

export { parseInvite } from "./addresses.js";
export * from "./errors.js";

/** Opens a space: an invite, an address whose fragment has one, or a pin. */
export async function open(invite, { signal, onProgress, ...options } = {}) {
  if (typeof Worker === "undefined") {
    const { Client } = await import("./client.js");
    return Client.open(invite, { ...options, signal, onProgress });
  }
  const space = new Space();
  await space.open(invite, options, { signal, onProgress });
  return space;
}

class Space {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #calls = new Map();
  #next = 0;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      const error = new NetworkError(`the worker failed: ${event.message ?? "it cannot be loaded"}`);
      this.#calls.forEach((call) => call.reject(error));
      this.#calls.clear();
    };
  }

  #receive({ id, progress, value, result, error, done }) {
    const call = this.#calls.get(id);
    if (!call) return;
    if (progress) call.onProgress?.(progress);
    if (value !== undefined) call.onValue?.(value);
    if (!done) return;
    this.#calls.delete(id);
    if (error) call.reject(fromPlain(error));
    else call.resolve(result);
  }

  #call(method, args, { signal, ...on } = {}) {
    const id = this.#next++;
    const abort = () => this.#worker.postMessage({ id, abort: true });
    const done = new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", abort);
      this.#calls.set(id, { resolve, reject, ...on });
      this.#worker.postMessage({ id, method, args });
    });
    return done.finally(() => signal?.removeEventListener("abort", abort));
  }

  #query(method, args, { signal, ...options } = {}) {
    return this.#call(method, [...args, options], { signal });
  }

  async open(invite, options, on) {
    try {
      await this.#call("open", [invite, options], on);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get(key, options) {
    return this.#query("get", [key], options);
  }

  range(options) {
    return this.#query("range", [], options);
  }

  find(tag, options) {
    return this.#query("find", [tag], options);
  }

  put(key, value, options) {
    return this.#query("put", [key, value], options);
  }

  del(key, options) {
    return this.#query("del", [key], options);
  }

  batch(changes, options) {
    return this.#query("batch", [changes], options);
  }

  info() {
    return this.#query("info", []);
  }

  identity() {
    return this.#query("identity", []);
  }

  useKey(secret) {
    return this.#query("useKey", [secret]);
  }

  newKey() {
    return this.#query("newKey", []);
  }

  sync(options) {
    return this.#query("sync", [], options);
  }

  flush(options) {
    return this.#query("flush", [], options);
  }

  async *watch({ signal } = {}) {
    const values = [];
    let wake = () => {};
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    let end;
    const onValue = (value) => {
      // Only the newest matters.
      values[0] = value;
      wake();
    };
    const running = this.#call("watch", [{}], { signal: stop.signal, onValue });
    running.then(() => (end = {}), (error) => (end = { error })).finally(() => wake());
    try {
      while (!signal?.aborted) {
        if (values.length > 0) yield values.pop();
        else if (end?.error) throw end.error;
        else if (end) return;
        else await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      stop.abort();
    }
  }

  close() {
    this.#worker.terminate();
    this.#calls.forEach((call) => call.reject(new DOMException("the space was closed", "AbortError")));
    this.#calls.clear();
  }
}
