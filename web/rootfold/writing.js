// The key of this browser, and the ops that it has signed.
import { NotAdmittedError, UsageError } from "./errors.js";
import { parsePass, readKey, writeKey } from "./keys.js";
import { exclusively } from "./storage.js";
import { bytesOf, split } from "./text.js";

export class Writer {
  /** Why this browser cannot go on with its log. */
  conflict;
  #session;
  #secret;
  #protection;

  constructor(session) {
    this.#session = session;
    session.onState = () => this.takePending(true);
  }

  get #nodes() {
    return this.#session.sources.filter((source) => source.writes);
  }

  async readKey() {
    const { storage, id } = this.#session;
    const kept = await readKey(storage, id).catch(() => undefined);
    if (kept) ({ secret: this.#secret, protection: this.#protection } = kept);
  }

  async useKey(secret) {
    const bytes = typeof secret === "string" ? parsePass(secret) : secret;
    if (bytes?.length !== 32) throw new UsageError("not a key: expected rootfold-key1: and 64 hexadecimal digits");
    this.#protection = await writeKey(this.#session.storage, this.#session.id, bytes);
    this.#secret = bytes;
    return this.identity();
  }

  identity() {
    if (!this.#secret) return undefined;
    const publicKey = this.#session.wasm.publicKey(this.#secret);
    return { publicKey, writer: this.#session.now?.state.writerOf(publicKey), protection: this.#protection };
  }

  async pending() {
    return this.#session.storage.entries("pending", `${this.#session.id}:`);
  }

  /** Takes ops that this browser has signed and that no node has sent back. */
  async takePending(forget = false) {
    const { now, storage } = this.#session;
    this.conflict = undefined;
    for (const [id, pending] of await this.pending()) {
      const seq = now.state.seqOf(pending.writer);
      // Proved, if the state is new.
      if (forget && seq !== undefined && seq >= pending.last) await storage.delete("pending", id);
      else if (seq === undefined || seq < pending.last) this.#takeOwn(pending);
    }
  }

  #takeOwn(pending) {
    try {
      this.#session.now.state.takeOwn(pending.request);
    } catch (error) {
      this.conflict = `op ${pending.last} of this browser does not continue the log: ${error.message}`;
    }
  }

  async batch(changes, { signal } = {}) {
    const session = this.#session;
    const identity = this.identity();
    if (!identity) throw new NotAdmittedError("this browser has no key for the space");
    const done = await exclusively(`rootfold:${session.id}:${identity.publicKey}`, async () => {
      // The log may have moved: in another tab, or on another device.
      await session.sync({ signal }).catch((error) => {
        if (!session.now || error.name === "AbortError") throw error;
      });
      const { writer } = this.identity();
      if (writer === undefined) throw new NotAdmittedError("the owner of the space has not admitted the key of this browser");
      await this.takePending();
      if (this.conflict) throw new NotAdmittedError(this.conflict, { code: "FORKED" });
      return this.#sign(writer, changes);
    });
    const accepted = await this.flush({ signal });
    return { ...done, accepted, status: accepted > 0 ? "accepted" : "signed" };
  }

  async #sign(writer, changes) {
    const { wasm, storage, id: space, now: held } = this.#session;
    const { state } = held;
    const now = Date.now();
    let request;
    try {
      const signed = new wasm.Changes();
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
    const id = `${space}:${String(last).padStart(20, "0")}`;
    try {
      await storage.put("pending", id, { writer, first, last, request, at: now, accepted: [] });
    } catch (error) {
      await this.#startAgain();
      throw error;
    }
    return { writer, seq: last };
  }

  /** Gives unsent ops to the nodes. Returns how many nodes have the last one. Hosts of files take none. */
  async flush({ signal } = {}) {
    const all = await this.pending();
    let accepted = all.length === 0 ? this.#nodes.length : 0;
    let refusal;
    for (const node of this.#nodes) {
      try {
        for (const [id, pending] of all) {
          if (pending.accepted.includes(node.address)) continue;
          await node.submit(pending.request, signal);
          pending.accepted.push(node.address);
          await this.#session.storage.put("pending", id, pending);
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
      if (accepted.length === 0) await this.#session.storage.delete("pending", id);
    }
    await this.#startAgain();
  }

  /** Goes back to the state without ops of this browser that were not kept. */
  async #startAgain() {
    await this.#session.resume();
    if (this.#session.now) await this.takePending();
  }
}
