// What tells a client that something may have changed.
import { NetworkError } from "./errors.js";

/** The milliseconds between attempts to reach a node again. */
const RECONNECT = 1000;

/** Wakes one who waits; several wakes before are one. */
export class Wakeup {
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

/** Wakes when a source may have changed, until the signal. */
export async function follow(sources, wake, signal) {
  const hosts = sources.filter((source) => !source.writes);
  const nodes = sources.filter((source) => source.writes);
  await Promise.all([followNodes(nodes, wake, signal), ...hosts.map((host) => host.follow(wake, signal))]);
}

/** Wakes at each message of a node about keys that changed. */
async function followNodes(nodes, wake, signal) {
  for (let turn = 0; nodes.length > 0 && !signal.aborted; turn += 1) {
    try {
      for await (const _ of nodes[turn % nodes.length].watch(signal)) wake();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NetworkError) wake();
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT));
  }
}
