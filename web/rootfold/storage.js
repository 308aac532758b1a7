// What the browser keeps: keys, unsent ops, and the answers of nodes for reading without a network. Without
// IndexedDB (a private window, Node.js) it is kept in memory, and `persistent` is false.
import { StorageError } from "./errors.js";

const NAME = "rootfold";
const STORES = ["keys", "pending", "answers"];

class Memory {
  persistent = false;
  #maps = new Map(STORES.map((store) => [store, new Map()]));

  async get(store, key) {
    return this.#maps.get(store).get(key);
  }

  async put(store, key, value) {
    this.#maps.get(store).set(key, value);
  }

  async delete(store, key) {
    this.#maps.get(store).delete(key);
  }

  async entries(store, prefix) {
    const all = [...this.#maps.get(store)].filter(([key]) => key.startsWith(prefix));
    return all.sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

class Database {
  persistent = true;
  #database;

  constructor(database) {
    this.#database = database;
  }

  async #run(store, mode, work) {
    const transaction = this.#database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      const failed = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      transaction.onabort = failed;
      transaction.onerror = failed;
    }).catch((cause) => {
      const full = cause?.name === "QuotaExceededError";
      const what = full ? "the storage of this browser is full" : `the storage of this browser failed: ${cause.message}`;
      throw new StorageError(what, { code: full ? "STORAGE_FULL" : "STORAGE", cause });
    });
    return request.result;
  }

  get(store, key) {
    return this.#run(store, "readonly", (objects) => objects.get(key));
  }

  put(store, key, value) {
    return this.#run(store, "readwrite", (objects) => objects.put(value, key));
  }

  delete(store, key) {
    return this.#run(store, "readwrite", (objects) => objects.delete(key));
  }

  async entries(store, prefix) {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const keys = await this.#run(store, "readonly", (objects) => objects.getAllKeys(range));
    const values = await Promise.all(keys.map((key) => this.get(store, key)));
    return keys.map((key, index) => [key, values[index]]).filter(([, value]) => value !== undefined);
  }
}

/** The storage of this browser. */
export async function openStorage() {
  if (!globalThis.indexedDB) return new Memory();
  try {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error("another tab has an older version open"));
    });
    return new Database(database);
  } catch {
    return new Memory();
  }
}

/** Runs `work` while no other tab does the same under this name. */
export async function exclusively(name, work) {
  return globalThis.navigator?.locks ? navigator.locks.request(name, work) : work();
}
