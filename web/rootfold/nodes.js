// A node as a source of a space: what it is asked, and what becomes of its answers.
import { checked } from "./errors.js";
import { hex } from "./text.js";
import { call, unary } from "./transport.js";

const REPLICATION = "ReplicationService";
const QUERY = "QueryService";

export class NodeSource {
  /** It takes ops. */
  writes = true;
  #options;
  #space;

  constructor(address, { wasm, space, token }) {
    this.address = address;
    this.#space = space;
    this.#options = { refusal: wasm.refusal, token };
  }

  #call(method, request, signal) {
    return unary(this.address, method, request, { ...this.#options, signal });
  }

  async begin() {}

  frontier(state, first, signal) {
    return this.#call(`${REPLICATION}/Frontier`, state.frontierRequest(first), signal);
  }

  verifyingKey(signal) {
    return this.#call(`${REPLICATION}/VerifyingKey`, this.#space.keyRequest(), signal);
  }

  snapshot(signal) {
    return this.#call(`${REPLICATION}/LatestSnapshot`, this.#space.snapshotRequest(), signal);
  }

  async heads({ state, journal }, writers, signal) {
    const response = await this.#call(`${QUERY}/GetMany`, state.headsRequest(writers), signal);
    checked(this.address, "heads", () => state.takeHeads(writers, response));
    journal.push({ kind: "heads", writers, responses: [response] });
  }

  async ops({ state, journal }, writers, signal) {
    const responses = [];
    const request = state.opsRequest(writers);
    for await (const response of call(this.address, `${REPLICATION}/LogEntries`, request, { ...this.#options, signal })) {
      if (checked(this.address, "ops", () => state.takeOps(response)) > 0) responses.push(response);
    }
    if (responses.length > 0) journal.push({ kind: "ops", responses });
  }

  async end() {}

  /** Compares the ops with the proved entries of their keys. */
  async compare({ state, journal }, signal) {
    for (let request = state.compareRequest(); request; request = state.compareRequest()) {
      const response = await this.#call(`${QUERY}/GetMany`, request, signal);
      checked(this.address, "entries", () => state.takeCompared(response));
      journal.push({ kind: "compared", responses: [response] });
    }
  }

  /** The number of ops before the fork of a writer, for which the node has evidence. */
  async fork(writer, signal) {
    const response = await this.#call(`${REPLICATION}/Fork`, this.#space.forkRequest(writer), signal);
    return Number(checked(this.address, "evidence of a fork", () => this.#space.takeFork(writer, response)));
  }

  submit(request, signal) {
    return this.#call(`${REPLICATION}/Submit`, request, signal);
  }

  /** Yields when keys have changed. */
  watch(signal) {
    return call(this.address, `${QUERY}/Watch`, this.#space.watchRequest(), { ...this.#options, signal });
  }

  /** A part of an answer. */
  async part(query, state, kept, signal) {
    const request = query.request(state);
    const method = `${QUERY}/${query.method}`;
    const response = await this.#call(method, request, signal);
    // The tail may have grown since, the root not.
    const part = checked(this.address, "answer", () => query.check(state, response));
    await kept.put(answerName(query, request), response);
    return { part, bytes: response.length };
  }
}

function answerName(query, request) {
  return `${QUERY}/${query.method}:${hex(request)}`;
}

/** The part in the stored answer of a node; `undefined` if no answer to this query is stored. */
export async function keptPart(query, state, kept, current) {
  const name = answerName(query, query.request(state));
  const response = await kept.get(name);
  if (!response || !current()) return undefined;
  try {
    return query.check(state, response);
  } catch {
    await kept.delete(name);
    return undefined;
  }
}
