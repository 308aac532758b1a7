// A client of one space. It runs in one thread: in a worker (index.js), or in that of the caller (slim.js).
//
// It holds a verified snapshot and the ops after it. A query is answered by any node under the root of the
// snapshot, checked, and laid under those ops. Whatever a node sends is checked by the WebAssembly module.
import { InviteError, NetworkError, NodeError, NotAdmittedError, RefusedAnswerError, UsageError } from "./errors.js";
import { parsePass, readKey, writeKey } from "./keys.js";
import { load } from "./module.js";
import { exclusively, openStorage } from "./storage.js";
import { call, unary } from "./transport.js";

const REPLICATION = "ReplicationService";
const QUERY = "QueryService";
/** The writers whose heads one request names, at most. */
const HEADS = 64;
/** The entries of one answer, at most. */
const MAX_PART = 1000;
/** The milliseconds between attempts to reach a node again, and between two looks for a newer snapshot. */
const RECONNECT = 1000;
const REFRESH = 15_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytesOf = (data) => (typeof data === "string" ? encoder.encode(data) : data);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** The parts of an invite, or of an address whose fragment has one. */
export function parseInvite(text) {
  const fragment = text.includes("#") ? text.slice(text.indexOf("#") + 1) : text;
  const [invite, ...more] = fragment.split("&").map((part) => decodeURIComponent(part.trim()));
  if (!invite) throw new InviteError("there is no invite: it begins with rootfold1:");
  return { invite, secret: more.map(parsePass).find((secret) => secret) };
}

/** The base address of a node. */
function nodeUrl(address) {
  if (/^https?:\/\//.test(address)) return address.replace(/\/+$/, "");
  // A page of https may call nodes with TLS alone.
  const scheme = globalThis.location?.protocol === "https:" ? "https" : "http";
  const port = /:\d+$/.test(address) ? "" : ":7340";
  return `${scheme}://${address}${port}`;
}

export class Client {
  #wasm;
  #space;
  #storage;
  #nodes;
  #token;
  /** A state, the response with its snapshot, and the responses from which it was made. */
  #now;
  #keyReady = false;
  #key;
  #refused = [];
  #forked = new Map();
  #syncing = Promise.resolve();
  #queued;
  #synced;
  #conflict;
  #onProgress;

  static async open(text, { nodes = [], token, wasm, onProgress, signal } = {}) {
    const client = new Client();
    client.#onProgress = onProgress;
    client.#progress("loading the module");
    client.#wasm = await load(wasm);
    const { invite, secret } = parseInvite(text);
    try {
      client.#space = new client.#wasm.Space(invite);
    } catch (cause) {
      throw new InviteError(cause.message, { cause });
    }
    client.#token = token;
    client.#nodes = [...new Set([...nodes, ...client.#space.addresses].map(nodeUrl))];
    if (client.#nodes.length === 0) throw new UsageError("no node is known: the invite has no address, and none was given");
    client.#storage = await openStorage();
    await client.#resume();
    if (client.#now) await client.#takePending();
    if (secret) await client.useKey(secret);
    else await client.#readKey();
    try {
      await client.sync({ signal });
    } catch (error) {
      // What was verified before can be read without a network.
      if (!client.#now || error.name === "AbortError") throw error;
    }
    return client;
  }

  #progress(what) {
    this.#onProgress?.({ what });
  }

  get #id() {
    return this.#space.id;
  }

  #call(node, method, request, signal) {
    return unary(node, method, request, { signal, refusal: this.#wasm.refusal, token: this.#token });
  }

  /** Runs a check of what a node sent. */
  #check(node, what, check) {
    try {
      return check();
    } catch (cause) {
      throw new RefusedAnswerError(`${node}: ${what} refused: ${cause.message}`, { node, cause });
    }
  }

  /** Remembers who sent something false. */
  #blame(error, node) {
    if (!(error instanceof RefusedAnswerError)) return;
    this.#refused.push({ node, what: error.message, at: Date.now() });
    this.#refused.splice(0, this.#refused.length - 100);
    // Others are asked first.
    this.#nodes = [...this.#nodes.filter((other) => other !== node), node];
  }

  // The state.

  /** Continues from what this browser has verified before. */
  async #resume() {
    const kept = await this.#storage.get("answers", `${this.#id}:state`);
    if (!kept) return;
    try {
      this.#key = kept.key;
      this.#now = { ...kept, state: this.#space.resumeSnapshot(kept.snapshot) };
      for (const { kind, writers, responses } of kept.journal) {
        if (kind === "heads") this.#now.state.takeHeads(writers, responses[0]);
        if (kind === "ops") this.#now.state.opsRequest(new Uint32Array());
        if (kind === "ops") responses.forEach((response) => this.#now.state.takeOps(response));
        if (kind === "compared") this.#now.state.takeCompared(responses[0]);
      }
    } catch {
      // Of another version of this package.
      this.#now = undefined;
    }
  }

  async #save() {
    const { snapshot, journal } = this.#now;
    await this.#storage.put("answers", `${this.#id}:state`, { key: this.#key, snapshot, journal });
    const answers = await this.#storage.entries("answers", `${this.#id}:query:`);
    const old = answers.filter(([id]) => !id.startsWith(`${this.#id}:query:${this.#now.state.root}:`));
    await Promise.all(old.map(([id]) => this.#storage.delete("answers", id)));
  }

  /** Brings the state up to date with all nodes. */
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
    for (const node of [...this.#nodes]) {
      try {
        await this.#syncWith(node, signal);
      } catch (error) {
        if (error.name === "AbortError") throw error;
        this.#blame(error, node);
        errors.push(error);
      }
    }
    if (errors.length >= this.#nodes.length) {
      throw errors.find((error) => error instanceof RefusedAnswerError) ?? errors[0];
    }
    this.#synced = Date.now();
    await this.#save();
  }

  async #frontier(node, state, first, signal) {
    const response = await this.#call(node, `${REPLICATION}/Frontier`, state.frontierRequest(first), signal);
    return this.#check(node, "frontier", () => state.takeFrontier(first, response));
  }

  async #snapshot(node, signal) {
    if (!this.#keyReady) {
      this.#progress("preparing the verifying key");
      const response = this.#key ?? (await this.#call(node, `${REPLICATION}/VerifyingKey`, this.#space.keyRequest(), signal));
      this.#check(node, "verifying key", () => this.#space.takeKey(response));
      this.#key = response;
      this.#keyReady = true;
    }
    this.#progress("verifying the snapshot");
    const snapshot = await this.#call(node, `${REPLICATION}/LatestSnapshot`, this.#space.snapshotRequest(), signal);
    const state = this.#check(node, "snapshot", () => this.#space.takeSnapshot(snapshot));
    return { state, snapshot, journal: [] };
  }

  async #syncWith(node, signal) {
    let now = this.#now ?? { state: this.#space.genesis(), journal: [] };
    let frontier = await this.#frontier(node, now.state, 0, signal);
    if (frontier.snapshotOps > now.state.ops) {
      const newer = await this.#snapshot(node, signal);
      if (newer.state.ops <= now.state.ops) {
        const what = `${node}: it names a snapshot of ${frontier.snapshotOps} ops and sends one of ${newer.state.ops}`;
        throw new RefusedAnswerError(what, { node });
      }
      now = newer;
      frontier = await this.#frontier(node, now.state, 0, signal);
    }
    this.#progress("checking the newest ops");
    for (;;) {
      await this.#ops(node, now, frontier, signal);
      frontier.forked.forEach((writer) => this.#forked.has(writer) || this.#forked.set(writer, undefined));
      if (frontier.next === undefined) break;
      frontier = await this.#frontier(node, now.state, frontier.next, signal);
    }
    await this.#forks(node, signal);
    for (let request = now.state.compareRequest(); request; request = now.state.compareRequest()) {
      const response = await this.#call(node, `${QUERY}/GetMany`, request, signal);
      this.#check(node, "entries", () => now.state.takeCompared(response));
      now.journal.push({ kind: "compared", responses: [response] });
    }
    if (now !== this.#now) {
      this.#now = now;
      await this.#takePending(true);
    }
  }

  async #ops(node, { state, journal }, frontier, signal) {
    if (frontier.longer.length === 0) return;
    for (let at = 0; at < frontier.unknown.length; at += HEADS) {
      const writers = frontier.unknown.slice(at, at + HEADS);
      const response = await this.#call(node, `${QUERY}/GetMany`, state.headsRequest(writers), signal);
      this.#check(node, "heads", () => state.takeHeads(writers, response));
      journal.push({ kind: "heads", writers, responses: [response] });
    }
    const responses = [];
    const options = { signal, refusal: this.#wasm.refusal, token: this.#token };
    const request = state.opsRequest(frontier.longer);
    for await (const response of call(node, `${REPLICATION}/LogEntries`, request, options)) {
      if (this.#check(node, "ops", () => state.takeOps(response)) > 0) responses.push(response);
    }
    if (responses.length > 0) journal.push({ kind: "ops", responses });
  }

  /** Asks for evidence against writers who are said to have forked their logs. */
  async #forks(node, signal) {
    for (const [writer, shared] of this.#forked) {
      if (shared !== undefined) continue;
      try {
        const response = await this.#call(node, `${REPLICATION}/Fork`, this.#space.forkRequest(writer), signal);
        const ops = this.#check(node, "evidence of a fork", () => this.#space.takeFork(writer, response));
        this.#forked.set(writer, Number(ops));
      } catch (error) {
        if (error.name === "AbortError") throw error;
        this.#forked.delete(writer);
        this.#blame(error, node);
      }
    }
  }

  // Reading.

  async #part(query, goesOn, signal) {
    let last;
    // A second time with a newer state, if nodes no longer keep the first one.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { state } = this.#now;
      const request = query.request(state);
      const method = `${QUERY}/${query.method}`;
      const id = `${this.#id}:query:${state.root}:${method}:${hex(request)}`;
      const kept = await this.#storage.get("answers", id);
      if (kept && state === this.#now.state) {
        try {
          return { part: query.check(state, kept), bytes: 0, node: undefined };
        } catch {
          await this.#storage.delete("answers", id);
        }
      }
      for (const node of [...this.#nodes]) {
        try {
          const response = await this.#call(node, method, request, signal);
          // The tail may have grown since, the root not.
          const part = this.#check(node, "answer", () => query.check(state, response));
          await this.#storage.put("answers", id, response).catch(() => {});
          return { part, bytes: response.length, node };
        } catch (error) {
          if (error.name === "AbortError") throw error;
          this.#blame(error, node);
          // A lie is told rather than that another node is down.
          if (!(last instanceof RefusedAnswerError)) last = error;
        }
      }
      if (!(last instanceof NodeError) || goesOn) break;
      await this.sync({ signal });
    }
    throw last;
  }

  async #answer(make, { limit, wanted, after, signal }) {
    if (!this.#now) await this.sync({ signal });
    const began = performance.now();
    let query;
    try {
      query = make(Math.min(limit, MAX_PART));
      if (after) query.goOn(this.#now.state, unhex(after));
    } catch (cause) {
      throw new UsageError(cause.message, { cause });
    }
    const answer = { items: [], next: undefined, bytes: 0, nodes: [] };
    let goesOn = after !== undefined;
    for (;;) {
      const { part, bytes, node } = await this.#part(query, goesOn, signal);
      answer.bytes += bytes;
      if (node && !answer.nodes.includes(node)) answer.nodes.push(node);
      for (const item of part.items) {
        const plain = plainItem(item);
        if (wanted(plain)) answer.items.push(plain);
      }
      const { next } = part;
      part.free();
      if (!next || answer.items.length >= limit) {
        answer.next = next && hex(next);
        break;
      }
      query.goOn(this.#now.state, next);
      goesOn = true;
    }
    query.free();
    const { state } = this.#now;
    const signed = answer.items.some((item) => item.voucher === "signed");
    const { root } = state;
    return {
      ...answer,
      voucher: signed ? "signed" : "proven",
      root,
      ops: Number(state.ops),
      tailOps: state.tailOps,
      synced: this.#synced,
      ms: performance.now() - began,
      refused: [...this.#refused],
    };
  }

  /** The entry of a key. */
  async get(key, { signal } = {}) {
    const [owner, bytes] = split(key);
    const make = () => this.#wasm.Query.get(owner, bytes);
    const answer = await this.#answer(make, { limit: 1, wanted: (item) => !item.deleted, signal });
    const { items, ...rest } = answer;
    return { ...rest, item: items[0] };
  }

  /** The entries whose keys begin with a prefix. */
  async range({ prefix = "", owner, limit = 100, reverse = false, after, signal } = {}) {
    const begins = bytesOf(prefix);
    const make = (count) => this.#wasm.Query.range(owner, begins, count, reverse);
    const wanted = (item) => !item.deleted && begins.every((byte, index) => item.keyBytes[index] === byte);
    return this.#answer(make, { limit, wanted, after, signal });
  }

  /** The entries with a tag, in the order of their marks. */
  async find(tag, { limit = 100, newestFirst = false, after, signal } = {}) {
    const make = (count) => this.#wasm.Query.find(bytesOf(tag), count, newestFirst);
    return this.#answer(make, { limit, wanted: (item) => !item.deleted, after, signal });
  }

  /** What is known of the space and of the nodes. */
  async info() {
    const { state } = this.#now ?? {};
    return {
      space: this.#id,
      parameters: this.#space.parameters,
      root: state?.root,
      ops: state && Number(state.ops),
      steps: state && Number(state.steps),
      tailOps: state?.tailOps,
      synced: this.#synced,
      nodes: [...this.#nodes],
      refused: [...this.#refused],
      forks: [...this.#forked].filter(([, ops]) => ops !== undefined).map(([writer, ops]) => ({ writer, ops })),
      identity: this.#whoAmI(),
      pending: (await this.#pending()).map(([, { writer, last, at, accepted }]) => {
        const status = accepted.length > 0 ? "accepted" : "signed";
        return { writer, seq: last, at, accepted: accepted.length, status };
      }),
      conflict: this.#conflict,
      persistent: this.#storage.persistent,
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
    const following = this.#follow(changed, stop.signal);
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

  /** Wakes at each message of a node about keys that changed. */
  async #follow(changed, signal) {
    const options = { signal, refusal: this.#wasm.refusal, token: this.#token };
    for (let turn = 0; !signal.aborted; turn += 1) {
      const node = this.#nodes[turn % this.#nodes.length];
      try {
        for await (const _ of call(node, `${QUERY}/Watch`, this.#space.watchRequest(), options)) changed.wake();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof NetworkError) changed.wake();
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT));
    }
  }

  // Writing.

  #secret;
  #protection;

  async #readKey() {
    const kept = await readKey(this.#storage, this.#id).catch(() => undefined);
    if (kept) ({ secret: this.#secret, protection: this.#protection } = kept);
  }

  /** Signs with this secret key from now on, and keeps it: 32 bytes, or the text of a pass. */
  async useKey(secret) {
    const bytes = typeof secret === "string" ? parsePass(secret) : secret;
    if (bytes?.length !== 32) throw new UsageError("not a key: expected rootfold-key1: and 64 hexadecimal digits");
    this.#protection = await writeKey(this.#storage, this.#id, bytes);
    this.#secret = bytes;
    return this.#whoAmI();
  }

  /** Makes a key and keeps it. The owner of the space has to admit it. */
  async newKey() {
    return this.useKey(crypto.getRandomValues(new Uint8Array(32)));
  }

  /** The public key of this browser, and the writer if the space has admitted it. */
  async identity() {
    return this.#whoAmI();
  }

  #whoAmI() {
    if (!this.#secret) return undefined;
    const publicKey = this.#wasm.publicKey(this.#secret);
    return { publicKey, writer: this.#now?.state.writerOf(publicKey), protection: this.#protection };
  }

  async #pending() {
    return this.#storage.entries("pending", `${this.#id}:`);
  }

  /** Takes ops that this browser has signed and that no node has sent back. */
  async #takePending(forget = false) {
    const { state } = this.#now;
    this.#conflict = undefined;
    for (const [id, pending] of await this.#pending()) {
      const seq = state.seqOf(pending.writer);
      // Proved, if the state is new.
      if (forget && seq !== undefined && seq >= pending.last) await this.#storage.delete("pending", id);
      else if (seq === undefined || seq < pending.last) this.#takeOwn(pending);
    }
  }

  #takeOwn(pending) {
    try {
      this.#now.state.takeOwn(pending.request);
    } catch (error) {
      this.#conflict = `op ${pending.last} of this browser does not continue the log: ${error.message}`;
    }
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
  async batch(changes, { signal } = {}) {
    const identity = this.#whoAmI();
    if (!identity) throw new NotAdmittedError("this browser has no key for the space");
    const done = await exclusively(`rootfold:${this.#id}:${identity.publicKey}`, async () => {
      // The log may have moved: in another tab, or on another device.
      await this.sync({ signal }).catch((error) => {
        if (!this.#now || error.name === "AbortError") throw error;
      });
      const { writer } = this.#whoAmI();
      if (writer === undefined) throw new NotAdmittedError("the owner of the space has not admitted the key of this browser");
      await this.#takePending();
      if (this.#conflict) throw new NotAdmittedError(this.#conflict, { code: "FORKED" });
      return this.#sign(writer, changes);
    });
    const accepted = await this.flush({ signal });
    return { ...done, accepted, status: accepted > 0 ? "accepted" : "signed" };
  }

  async #sign(writer, changes) {
    const { state } = this.#now;
    const now = Date.now();
    let request;
    try {
      const signed = new this.#wasm.Changes();
      for (const { key, value, tags = [], order = "", withdraw = [] } of changes) {
        const [owner, bytes] = split(key, writer);
        signed.write(owner, bytes, value === undefined ? undefined : bytesOf(value), now);
        tags.forEach((tag) => signed.mark(bytesOf(tag), bytesOf(order)));
        withdraw.forEach((mark) => signed.withdraw(bytesOf(mark.tag), bytesOf(mark.order)));
      }
      request = state.sign(writer, this.#secret, signed);
    } catch (cause) {
      throw new UsageError(cause.message, { cause });
    }
    const first = Number(state.seqOf(writer));
    state.takeOwn(request);
    const last = Number(state.seqOf(writer));
    // Kept before a node has it: it must not be signed twice.
    const id = `${this.#id}:${String(last).padStart(20, "0")}`;
    try {
      await this.#storage.put("pending", id, { writer, first, last, request, at: now, accepted: [] });
    } catch (error) {
      await this.#startAgain();
      throw error;
    }
    return { writer, seq: last };
  }

  /** Gives unsent ops to the nodes. Returns how many nodes have the last one. */
  async flush({ signal } = {}) {
    const all = await this.#pending();
    let accepted = all.length === 0 ? this.#nodes.length : 0;
    let refusal;
    for (const node of [...this.#nodes]) {
      try {
        for (const [id, pending] of all) {
          if (pending.accepted.includes(node)) continue;
          await this.#call(node, `${REPLICATION}/Submit`, pending.request, signal);
          pending.accepted.push(node);
          await this.#storage.put("pending", id, pending);
        }
        accepted += all.length > 0 ? 1 : 0;
      } catch (error) {
        if (error.name === "AbortError") throw error;
        if (error.code === "REFUSED_OP" || error.code === "UNAUTHENTICATED") refusal = error;
      }
    }
    if (accepted === 0 && refusal) {
      await this.#takeBack(all);
      throw refusal;
    }
    return accepted;
  }

  /** Forgets ops that every node that answers refuses. */
  async #takeBack(all) {
    for (const [id, { accepted }] of all) {
      if (accepted.length === 0) await this.#storage.delete("pending", id);
    }
    await this.#startAgain();
  }

  /** Goes back to the state without ops of this browser that were not kept. */
  async #startAgain() {
    this.#now = undefined;
    await this.#resume();
    if (this.#now) await this.#takePending();
  }

  close() {
    this.#space.free();
  }
}

/** Wakes one who waits; several wakes before are one. */
class Wakeup {
  #woken = true;
  #resume;

  wake() {
    this.#woken = true;
    this.#resume?.();
  }

  async wait() {
    if (!this.#woken) await new Promise((resolve) => (this.#resume = resolve));
    this.#woken = false;
  }
}

/** The owner and the bytes of a key: a text, bytes, or `{ owner, key }`; `owner: "self"` is the signer. */
function split(key, self) {
  if (typeof key === "string" || key instanceof Uint8Array) return [undefined, bytesOf(key)];
  if (key?.key === undefined) throw new UsageError("a key is a text, bytes, or { owner, key }");
  return [key.owner === "self" ? self : key.owner, bytesOf(key.key)];
}

function plainItem(item) {
  const { key, owner, value, deleted, writer, time, order, voucher } = item;
  item.free();
  return { key: decoder.decode(key), keyBytes: key, owner, value, text: value && decoder.decode(value), deleted, writer, time, order, voucher };
}
