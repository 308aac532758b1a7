// Published files as a source of a space: docs/formats.md, "Published files". Any host of files serves them. The
// WebAssembly module names the files that a read needs, and checks each under its name.
import { checked, NetworkError, RefusedAnswerError } from "./errors.js";

const POINTER = "published";
/** The longest files in bytes, by folder. */
const LONGEST = { [POINTER]: 256 << 10, objects: 4 << 20, pages: 64 << 20, values: 4 << 20, keys: 4 << 20 };
/** The files that are fetched at once. */
const AT_ONCE = 6;
/** The milliseconds between two looks at the pointer. */
const POLL = 5_000;

export class FileSource {
  writes = false;
  #wasm;
  #space;
  #pointer;
  /** The content of the pointer, whether it was refused or not. */
  #seen;
  #frontier = new Map();
  #page = 0;
  #behind = false;
  #files;
  /** How the cache of the browser is used: not for a host that had an altered file. */
  #cache = "default";

  constructor(address, { wasm, space }) {
    this.address = address;
    this.#wasm = wasm;
    this.#space = space;
  }

  /** The content of a file; `undefined` if the host does not have it. */
  async #get(name, signal, cache = this.#cache) {
    let response;
    try {
      response = await fetch(`${this.address}/${name}`, { signal, cache });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new NetworkError(`${this.address} cannot be reached: ${cause.message}`, { node: this.address, cause });
    }
    if (response.ok) return this.#body(name, response, signal);
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    throw new NetworkError(`${this.address} answers with HTTP ${response.status} for ${name}`, { node: this.address });
  }

  async #body(name, response, signal) {
    const longest = LONGEST[name.split("/")[0]];
    const parts = [];
    let length = 0;
    try {
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        length += value.length;
        parts.push(value);
        if (length > longest) {
          reader.cancel().catch(() => {});
          break;
        }
      }
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new NetworkError(`${this.address}: the connection broke: ${cause.message}`, { node: this.address, cause });
    }
    if (length > longest) throw this.#refused(`${name} refused: it is longer than ${longest} bytes`);
    const content = new Uint8Array(length);
    parts.reduce((at, part) => (content.set(part, at), at + part.length), 0);
    return content;
  }

  #refused(what, more) {
    this.#cache = "reload";
    return new RefusedAnswerError(`${this.address}: ${what}`, { node: this.address, ...more });
  }

  #check(what, check) {
    try {
      return checked(this.address, what, check);
    } catch (error) {
      this.#cache = "reload";
      throw error;
    }
  }

  #withheld(name) {
    return this.#refused(`refused: the host does not have ${name}`, { code: "WITHHELD" });
  }

  /** A file that the pointer names. */
  async #object(name, signal) {
    const content = await this.#get(name, signal);
    if (!content) throw this.#withheld(name);
    this.#check("file", () => this.#wasm.checkObject(name, content));
    return content;
  }

  // Syncing.

  async begin(signal) {
    const content = await this.#get(POINTER, signal, "no-cache");
    if (!content) throw new NetworkError(`${this.address} has no published space`, { node: this.address });
    this.#seen = content;
    const pointer = this.#check("pointer", () => this.#space.takePointer(content));
    const { verifyingKey, snapshot, frontier, tail } = pointer;
    pointer.free();
    this.#pointer = { verifyingKey, snapshot, frontier, tail };
    this.#behind = false;
    this.#frontier = new Map([...this.#frontier].filter(([name]) => frontier.includes(name)));
  }

  async frontier(_state, first, signal) {
    this.#page = first === 0 ? 0 : this.#page + 1;
    const name = this.#pointer.frontier[this.#page];
    if (!name) throw this.#refused("frontier refused: its last page is missing");
    const held = this.#frontier.get(name) ?? (await this.#object(name, signal));
    this.#frontier.set(name, held);
    return held;
  }

  verifyingKey(signal) {
    return this.#object(this.#pointer.verifyingKey, signal);
  }

  snapshot(signal) {
    return this.#object(this.#pointer.snapshot, signal);
  }

  async heads(now, writers, signal) {
    await this.#readState(now, "heads", (files) => now.state.readHeads(writers, files), signal);
    now.journal.push({ kind: "heads", writers });
  }

  /** The ops are taken at the end: one file may have those of all writers, whose heads are known then. */
  async ops() {
    this.#behind = true;
  }

  async end(now, signal) {
    if (!this.#behind) return;
    const { state, journal, taken } = now;
    const names = this.#pointer.tail.filter((name) => !taken.has(name));
    const responses = [];
    state.opsRequest(new Uint32Array());
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      const contents = await Promise.all(some.map((name) => this.#object(name, signal)));
      contents.forEach((content, index) => {
        const count = this.#check(some[index], () => state.takeOps(content));
        taken.add(some[index]);
        if (count > 0) journal.push({ kind: "ops", responses: [content] });
      });
    }
  }

  async compare(now, signal) {
    while (now.state.compareRequest()) {
      await this.#readState(now, "entries", (files) => now.state.readCompared(files), signal);
      now.journal.push({ kind: "compared" });
    }
  }

  /** Reads with files that are kept with the state. */
  async #readState(now, what, read, signal) {
    const files = filesOf(this.#wasm, now.files);
    const fetched = new Map();
    await this.#read(files, what, read, { signal, put: (name, content) => fetched.set(name, content) });
    // Not before: what is refused must not stay.
    fetched.forEach((content, name) => now.files.set(name, content));
  }

  // Reading.

  /** Reads, and fetches the files that are missing, until none are. */
  async #read(files, what, read, { signal, get, put }) {
    for (;;) {
      const done = this.#check(what, () => read(files));
      if (done) return done;
      await atOnce(files.missing, async (name) => {
        const content = (await get?.(name)) ?? (await this.#get(name, signal));
        if (!content && !files.withhold(name)) throw this.#withheld(name);
        if (!content) return;
        this.#check("file", () => files.add(name, content));
        put(name, content);
      });
    }
  }

  /** A part of an answer. */
  async part(query, state, kept, signal) {
    try {
      return await this.#partFrom(query, state, kept, signal);
    } catch (error) {
      if (!(error instanceof RefusedAnswerError) || error.code === "WITHHELD") throw error;
      // Files that were kept may be what is refused.
      this.#files = undefined;
      await kept.clear("file:");
      return await this.#partFrom(query, state, kept, signal);
    }
  }

  async #partFrom(query, state, kept, signal) {
    const files = (this.#files ??= new this.#wasm.Files());
    files.makeRoom();
    const fetched = new Map();
    let bytes = 0;
    const before = new Set();
    const get = async (name) => {
      const content = await kept.get(`file:${name}`);
      if (content) before.add(name);
      return content;
    };
    const put = (name, content) => {
      if (before.has(name)) return;
      fetched.set(name, content);
      bytes += content.length;
    };
    try {
      const part = await this.#read(files, "answer", () => query.read(state, files), { signal, get, put });
      await Promise.all([...fetched].map(([name, content]) => kept.put(`file:${name}`, content)));
      return { part, bytes };
    } catch (error) {
      if (error instanceof RefusedAnswerError) this.#files = undefined;
      throw error;
    }
  }

  // Watching.

  /** Wakes when the pointer has changed. */
  async follow(wake, signal) {
    while (!signal.aborted) {
      await sleep(POLL, signal);
      try {
        const content = await this.#get(POINTER, signal, "no-cache");
        if (content && !same(content, this.#seen)) wake();
      } catch {
        // The next look may succeed.
      }
    }
  }
}

/** The files that are kept with a state, at hand. */
export function filesOf(wasm, contents) {
  const files = new wasm.Files();
  // The keys of a page come after it; a state has none.
  contents.forEach((content, name) => files.add(name, content));
  return files;
}

/** Runs `work` for all names, several at once. */
async function atOnce(names, work) {
  const left = [...names];
  const run = async () => {
    while (left.length > 0) await work(left.shift());
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, run));
  } finally {
    left.length = 0;
  }
}

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function same(one, other) {
  return one.length === other?.length && one.every((byte, index) => byte === other[index]);
}
