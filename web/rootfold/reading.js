// Queries of a session: any source answers under the root of the verified snapshot. The answer is checked, and laid
// under the ops after the snapshot.
import { NodeError, RefusedAnswerError, UsageError } from "./errors.js";
import { keptPart } from "./nodes.js";
import { bytesOf, hex, split, textOf, unhex } from "./text.js";

/** The entries of one answer, at most. */
const MAX_PART = 1000;

/** Whether a source does not keep the state: a newer one may be there. */
const isGone = (error) => error instanceof NodeError || error?.code === "WITHHELD";

export class Reader {
  #session;

  constructor(session) {
    this.#session = session;
  }

  async #part(query, goesOn, signal) {
    const session = this.#session;
    let last;
    // A second time with a newer state, if sources no longer keep the first one.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { state } = session.now;
      const kept = session.kept(state.root);
      const before = await keptPart(query, state, kept, () => state === session.now.state);
      if (before) return { part: before, bytes: 0 };
      const withheld = [];
      for (const source of [...session.sources]) {
        try {
          const { part, bytes } = await source.part(query, state, kept, signal);
          return { part, bytes, node: bytes > 0 ? source.address : undefined };
        } catch (error) {
          if (error.name === "AbortError") throw error;
          if (error.code === "WITHHELD") withheld.push([error, source]);
          else session.blame(error, source);
          // A lie is told rather than that another source is down.
          if (!(last instanceof RefusedAnswerError)) last = error;
        }
      }
      const again = attempt === 0 && !goesOn && isGone(last);
      if (again) await session.sync({ signal });
      if (again && state !== session.now.state) continue;
      withheld.forEach(([error, source]) => session.blame(error, source));
      if (!again || withheld.length > 0) break;
    }
    throw last;
  }

  async #answer(make, { limit, wanted, after, signal }) {
    const session = this.#session;
    if (!session.now) await session.sync({ signal });
    const began = performance.now();
    let query;
    try {
      query = make(Math.min(limit, MAX_PART));
      if (after) query.goOn(session.now.state, unhex(after));
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
      query.goOn(session.now.state, next);
      goesOn = true;
    }
    query.free();
    const { state } = session.now;
    const signed = answer.items.some((item) => item.voucher === "signed");
    return {
      ...answer,
      voucher: signed ? "signed" : "proven",
      root: state.root,
      ops: Number(state.ops),
      tailOps: state.tailOps,
      synced: session.synced,
      ms: performance.now() - began,
      refused: [...session.refused],
    };
  }

  async get(key, { signal } = {}) {
    const [owner, bytes] = split(key);
    const make = () => this.#session.wasm.Query.get(owner, bytes);
    const answer = await this.#answer(make, { limit: 1, wanted: (item) => !item.deleted, signal });
    const { items, ...rest } = answer;
    return { ...rest, item: items[0] };
  }

  async range({ prefix = "", owner, limit = 100, reverse = false, after, signal } = {}) {
    const begins = bytesOf(prefix);
    const make = (count) => this.#session.wasm.Query.range(owner, begins, count, reverse);
    const wanted = (item) => !item.deleted && begins.every((byte, index) => item.keyBytes[index] === byte);
    return this.#answer(make, { limit, wanted, after, signal });
  }

  async find(tag, { limit = 100, newestFirst = false, after, signal } = {}) {
    const make = (count) => this.#session.wasm.Query.find(bytesOf(tag), count, newestFirst);
    return this.#answer(make, { limit, wanted: (item) => !item.deleted, after, signal });
  }
}

function plainItem(item) {
  const { key, owner, value, deleted, writer, time, order, voucher } = item;
  item.free();
  return { key: textOf(key), keyBytes: key, owner, value, text: value && textOf(value), deleted, writer, time, order, voucher };
}
