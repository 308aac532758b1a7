// Runs a client in a worker. A message has the number of a call, the name of a method and its arguments.
import { Client } from "./client.js";
import { toPlain } from "./errors.js";

const METHODS = ["get", "range", "find", "put", "del", "batch", "info", "identity", "useKey", "newKey", "sync", "flush"];
const running = new Map();
let client;

const work = {
  async open(id, [invite, options], signal) {
    const onProgress = (progress) => postMessage({ id, progress });
    client = await Client.open(invite, { ...options, onProgress, signal });
  },
  async watch(id, _, signal) {
    for await (const value of client.watch({ signal })) postMessage({ id, value });
  },
};

for (const method of METHODS) {
  // The options with the signal are the last argument.
  work[method] = (_, args, signal) => client[method](...args.slice(0, -1), { ...args.at(-1), signal });
}

onmessage = async ({ data: { id, method, args, abort } }) => {
  if (abort) {
    running.get(id)?.abort(new DOMException("the call was aborted", "AbortError"));
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const result = await work[method](id, args, controller.signal);
    postMessage({ id, result, done: true });
  } catch (error) {
    postMessage({ id, error: toPlain(error), done: true });
  } finally {
    running.delete(id);
  }
};
