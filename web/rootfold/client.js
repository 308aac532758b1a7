// A client of one space. It runs in one thread: in a worker (index.js), or in that of the caller (slim.js).
//
// It holds a verified snapshot and the ops after it (session.js). A query is answered by any source under the root
// of the snapshot, checked, and laid under those ops (reading.js). A source is a node (nodes.js) or a host of
// published files (files.js). Whatever it sends is checked by the WebAssembly module.
import { parseAddress, parseInvite } from "./addresses.js";
import { InviteError, UsageError } from "./errors.js";
import { FileSource } from "./files.js";
import { load } from "./module.js";
import { NodeSource } from "./nodes.js";
import { parsePin } from "./pin.js";
import { Reader } from "./reading.js";
import { Session } from "./session.js";
import { openStorage } from "./storage.js";
import { follow, Wakeup } from "./watching.js";
import { Writer } from "./writing.js";

/** The milliseconds between two looks for a newer snapshot. */
const REFRESH = 15_000;

export class Client {
  #session;
  #reader;
  #writer;

  static async open(given, { nodes = [], token, wasm: address, onProgress, signal } = {}) {
    const progress = (what) => onProgress?.({ what });
    progress("loading the module");
    const wasm = await load(address);
    const { invite: named, leastOps } = parsePin(given, wasm);
    const { invite, secret } = parseInvite(named);
    let space;
    try {
      space = new wasm.Space(invite);
    } catch (cause) {
      throw new InviteError(cause.message, { cause });
    }
    const sources = sourcesAt([...nodes, ...space.addresses], { wasm, space, token });
    const client = new Client();
    await client.#open(new Session({ wasm, space, storage: await openStorage(), sources, progress, leastOps }), secret, signal);
    return client;
  }

  async #open(session, secret, signal) {
    this.#session = session;
    this.#reader = new Reader(session);
    this.#writer = new Writer(session);
    await session.resume();
    if (session.now) await this.#writer.takePending();
    if (secret) await this.useKey(secret);
    else await this.#writer.readKey();
    try {
      await session.sync({ signal });
    } catch (error) {
      // What was verified before can be read without a network.
      if (!session.now || error.name === "AbortError") throw error;
    }
  }

  /** Brings the state up to date with all sources. */
  sync(options) {
    return this.#session.sync(options);
  }

  /** The entry of a key. */
  get(key, options) {
    return this.#reader.get(key, options);
  }

  /** The entries whose keys begin with a prefix. */
  range(options) {
    return this.#reader.range(options);
  }

  /** The entries with a tag, in the order of their marks. */
  find(tag, options) {
    return this.#reader.find(tag, options);
  }

  /** What is known of the space and of the sources. */
  async info() {
    const { now, id, space, synced, sources, refused, forked, storage } = this.#session;
    const state = now?.state;
    return {
      space: id,
      parameters: space.parameters,
      root: state?.root,
      ops: state && Number(state.ops),
      steps: state && Number(state.steps),
      tailOps: state?.tailOps,
      synced,
      nodes: sources.map((source) => source.address),
      refused: [...refused],
      forks: [...forked].filter(([, ops]) => ops !== undefined).map(([writer, ops]) => ({ writer, ops })),
      identity: this.#writer.identity(),
      pending: (await this.#writer.pending()).map(([, { writer, last, at, accepted }]) => {
        const status = accepted.length > 0 ? "accepted" : "signed";
        return { writer, seq: last, at, accepted: accepted.length, status };
      }),
      conflict: this.#writer.conflict,
      persistent: storage.persistent,
    };
  }

  /** Yields what `info` says whenever the state may have changed. */
  async *watch({ signal } = {}) {
    const changed = new Wakeup();
    const stop = new AbortController();
    const abort = () => {
      stop.abort();
      changed.wake();
    };
    signal?.addEventListener("abort", abort);
    const following = follow(this.#session.sources, () => changed.wake(), stop.signal);
    const timer = setInterval(() => changed.wake(), REFRESH);
    try {
      while (!signal?.aborted) {
        await changed.wait();
        if (signal?.aborted) return;
        try {
          await this.sync({});
          await this.flush();
        } catch {
          // Without a network the state stays as it is.
        }
        yield await this.info();
      }
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", abort);
      stop.abort();
      await following;
    }
  }

  /** Signs with this secret key from now on, and keeps it: 32 bytes, or the text of a pass. */
  async useKey(secret) {
    return this.#writer.useKey(secret);
  }

  /** Makes a key and keeps it. The owner of the space has to admit it. */
  async newKey() {
    return this.useKey(crypto.getRandomValues(new Uint8Array(32)));
  }

  /** The public key of this browser, and the writer if the space has admitted it. */
  async identity() {
    return this.#writer.identity();
  }

  /** Writes a value. */
  put(key, value, { tags = [], order = "", withdraw = [], signal } = {}) {
    return this.batch([{ key, value, tags, order, withdraw }], { signal });
  }

  /** Deletes an entry. */
  del(key, { withdraw = [], signal } = {}) {
    return this.batch([{ key, withdraw }], { signal });
  }

  /** Signs several changes, which take effect together, and gives them to the nodes. */
  batch(changes, options) {
    return this.#writer.batch(changes, options);
  }

  /** Gives unsent ops to the nodes. Returns how many nodes have the last one. */
  flush(options) {
    return this.#writer.flush(options);
  }

  close() {
    this.#session.space.free();
  }
}

/** The nodes and the hosts of files at these addresses. */
function sourcesAt(addresses, options) {
  const parsed = new Map(addresses.map(parseAddress).map((source) => [source.address, source.files]));
  if (parsed.size === 0) throw new UsageError("no node is known: the invite has no address, and none was given");
  return [...parsed].map(([address, files]) => (files ? new FileSource(address, options) : new NodeSource(address, options)));
}
