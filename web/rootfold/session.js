// What a client holds: a verified snapshot and the ops after it, and the sources that it is brought up to date with.
import { checked, RefusedAnswerError } from "./errors.js";
import { filesOf } from "./files.js";
import { checkPinned } from "./pin.js";

/** The writers whose heads one request names, at most. */
const HEADS = 64;

export class Session {
  /** A state, the response with its snapshot, and the responses and files from which it was made. */
  now;
  /** When the newest ops were fetched. */
  synced;
  /** What sources sent that is false. */
  refused = [];
  /** For each writer who is said to have forked their log, the ops before it if there is evidence. */
  forked = new Map();
  /** Called with each new state. */
  onState = async () => {};
  #keyReady = false;
  #key;
  #syncing = Promise.resolve();
  #queued;

  constructor({ wasm, space, storage, sources, progress, leastOps }) {
    Object.assign(this, { wasm, space, storage, sources, progress, leastOps });
  }

  get id() {
    return this.space.id;
  }

  /** Remembers who sent something false. */
  blame(error, { address }) {
    if (!(error instanceof RefusedAnswerError)) return;
    this.refused.push({ node: address, what: error.message, at: Date.now() });
    this.refused.splice(0, this.refused.length - 100);
    // Others are asked first.
    const blamed = (source) => source.address === address;
    this.sources = [...this.sources.filter((source) => !blamed(source)), ...this.sources.filter(blamed)];
  }

  // What this browser keeps.

  /** Continues from what this browser has verified before. */
  async resume() {
    this.now = undefined;
    const kept = await this.storage.get("answers", `${this.id}:state`);
    if (!kept) return;
    try {
      this.#key = kept.key;
      const { snapshot, journal, files = new Map(), taken = new Set() } = kept;
      const now = { snapshot, journal, files, taken, state: this.space.resumeSnapshot(snapshot) };
      checkPinned("this browser", now.state, this.leastOps);
      this.#replay(now);
      this.now = now;
    } catch {
      // Of another version of this package, or older than the pin.
    }
  }

  #replay({ state, journal, files: contents }) {
    const files = filesOf(this.wasm, contents);
    const whole = (read) => {
      if (!read) throw new Error("a file was not kept");
    };
    for (const { kind, writers, responses } of journal) {
      if (kind === "ops") state.opsRequest(new Uint32Array());
      if (kind === "ops") responses.forEach((response) => state.takeOps(response));
      else if (kind === "heads" && responses) state.takeHeads(writers, responses[0]);
      else if (kind === "heads") whole(state.readHeads(writers, files));
      else if (kind === "compared" && responses) state.takeCompared(responses[0]);
      else if (kind === "compared") whole(state.readCompared(files));
    }
  }

  async #save() {
    const { snapshot, journal, files, taken } = this.now;
    await this.storage.put("answers", `${this.id}:state`, { key: this.#key, snapshot, journal, files, taken });
    const answers = await this.storage.entries("answers", `${this.id}:query:`);
    const old = answers.filter(([id]) => !id.startsWith(`${this.id}:query:${this.now.state.root}:`));
    await Promise.all(old.map(([id]) => this.storage.delete("answers", id)));
  }

  /** What was received for queries under a root. */
  kept(root) {
    const prefix = `${this.id}:query:${root}:`;
    const { storage } = this;
    return {
      get: (name) => storage.get("answers", prefix + name),
      // Reading goes on without it.
      put: (name, content) => storage.put("answers", prefix + name, content).catch(() => {}),
      delete: (name) => storage.delete("answers", prefix + name),
      clear: async (begin) => {
        const all = await storage.entries("answers", prefix + begin);
        await Promise.all(all.map(([id]) => storage.delete("answers", id)));
      },
    };
  }

  // Syncing.

  /** Brings the state up to date with all sources. */
  sync({ signal } = {}) {
    // One at a time; calls during one share the next.
    this.#queued ??= this.#syncing.catch(() => {}).then(() => {
      this.#queued = undefined;
      this.#syncing = this.#syncOnce(signal);
      return this.#syncing;
    });
    return this.#queued;
  }

  async #syncOnce(signal) {
    const errors = [];
    for (const source of [...this.sources]) {
      try {
        await this.#syncWith(source, signal);
      } catch (error) {
        if (error.name === "AbortError") throw error;
        this.blame(error, source);
        errors.push(error);
      }
    }
    if (errors.length >= this.sources.length) {
      throw errors.find((error) => error instanceof RefusedAnswerError) ?? errors[0];
    }
    this.synced = Date.now();
    await this.#save();
  }

  async #frontier(source, state, first, signal) {
    const response = await source.frontier(state, first, signal);
    return checked(source.address, "frontier", () => state.takeFrontier(first, response));
  }

  async #snapshot(source, signal) {
    if (!this.#keyReady) {
      this.progress("preparing the verifying key");
      const response = this.#key ?? (await source.verifyingKey(signal));
      checked(source.address, "verifying key", () => this.space.takeKey(response));
      this.#key = response;
      this.#keyReady = true;
    }
    this.progress("verifying the snapshot");
    const snapshot = await source.snapshot(signal);
    const state = checked(source.address, "snapshot", () => this.space.takeSnapshot(snapshot));
    return begun(state, snapshot);
  }

  async #syncWith(source, signal) {
    await source.begin(signal);
    let now = this.now ?? begun(this.space.genesis());
    let frontier = await this.#frontier(source, now.state, 0, signal);
    if (frontier.snapshotOps > now.state.ops) {
      const newer = await this.#snapshot(source, signal);
      if (newer.state.ops <= now.state.ops) {
        const { address } = source;
        const what = `${address}: it names a snapshot of ${frontier.snapshotOps} ops and sends one of ${newer.state.ops}`;
        throw new RefusedAnswerError(what, { node: address });
      }
      now = newer;
      frontier = await this.#frontier(source, now.state, 0, signal);
    }
    checkPinned(source.address, now.state, this.leastOps);
    this.progress("checking the newest ops");
    for (;;) {
      await this.#ops(source, now, frontier, signal);
      if (source.writes) frontier.forked.forEach((writer) => this.forked.has(writer) || this.forked.set(writer, undefined));
      if (frontier.next === undefined) break;
      frontier = await this.#frontier(source, now.state, frontier.next, signal);
    }
    await source.end(now, signal);
    if (source.writes) await this.#forks(source, signal);
    await source.compare(now, signal);
    if (now !== this.now) {
      this.now = now;
      await this.onState();
    }
  }

  async #ops(source, now, frontier, signal) {
    if (frontier.longer.length === 0) return;
    for (let at = 0; at < frontier.unknown.length; at += HEADS) {
      await source.heads(now, frontier.unknown.slice(at, at + HEADS), signal);
    }
    await source.ops(now, frontier.longer, signal);
  }

  /** Asks for evidence against writers who are said to have forked their logs. */
  async #forks(source, signal) {
    for (const [writer, shared] of this.forked) {
      if (shared !== undefined) continue;
      try {
        this.forked.set(writer, await source.fork(writer, signal));
      } catch (error) {
        if (error.name === "AbortError") throw error;
        this.forked.delete(writer);
        this.blame(error, source);
      }
    }
  }
}

function begun(state, snapshot) {
  return { state, snapshot, journal: [], files: new Map(), taken: new Set() };
}
