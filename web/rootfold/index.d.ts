/** What vouches for data: a proof that was checked here, or signatures that were checked here. */
export type Voucher = "proven" | "signed";
/** A shared key, or a key that only its owner may write; `"self"` is the signer. */
export type Key = string | Uint8Array | { owner?: number | "self"; key: string | Uint8Array };

export interface OpenOptions {
  /** Addresses of nodes and of published files (these have a path), asked before those of the invite. */
  nodes?: string[];
  /** The token for nodes that take ops only with one. */
  token?: string;
  /** Where the WebAssembly module is, if not beside the package. */
  wasm?: string | URL;
  signal?: AbortSignal;
  onProgress?: (progress: { what: string }) => void;
}

export interface Item {
  /** The key as text. */
  key: string;
  keyBytes: Uint8Array;
  /** The only writer who may write the key. */
  owner?: number;
  /** The value; not set if nobody has sent it. */
  value?: Uint8Array;
  /** The value as text. */
  text?: string;
  deleted: boolean;
  writer: number;
  /** The writer's clock, in milliseconds since 1970. */
  time: number;
  /** The order of the mark by which it was found. */
  order: Uint8Array;
  voucher: Voucher;
}

export interface Checked {
  /** `signed` if an item comes from ops after the snapshot. */
  voucher: Voucher;
  /** The proved root under which the answer was checked. */
  root: string;
  /** The number of ops that the proof covers, and of those after it. */
  ops: number;
  tailOps: number;
  /** When the newest ops were fetched, in milliseconds since 1970. */
  synced?: number;
  /** The milliseconds and received bytes that the answer took. */
  ms: number;
  bytes: number;
  /** The addresses that sent something for this answer; none if it was kept from before. */
  nodes: string[];
  refused: Refused[];
}

export interface Answer extends Checked {
  items: Item[];
  /** Where the rest begins, for `after`. */
  next?: string;
}

export interface GetAnswer extends Checked {
  /** Not set if the key does not exist, which was proved. */
  item?: Item;
  next?: undefined;
}

/** Something false that a node or a host of files sent. */
export interface Refused {
  /** Its address. */
  node: string;
  what: string;
  at: number;
}

export interface Written {
  writer: number;
  /** The number of the last op in the writer's log. */
  seq: number;
  /** `signed`: kept in this browser until a node takes it. */
  status: "signed" | "accepted";
  /** The number of nodes that took it. Hosts of published files take nothing. */
  accepted: number;
}

export interface Identity {
  publicKey: string;
  /** Not set until the owner admits the key. */
  writer?: number;
  protection: "webcrypto" | "plain";
}

export interface Info {
  space: string;
  parameters: string;
  root?: string;
  ops?: number;
  steps?: number;
  tailOps?: number;
  synced?: number;
  /** The addresses of nodes and of published files. */
  nodes: string[];
  refused: Refused[];
  /** Writers who have signed two continuations of their log, after so many ops. */
  forks: { writer: number; ops: number }[];
  identity?: Identity;
  pending: { writer: number; seq: number; at: number; accepted: number; status: "signed" | "accepted" }[];
  /** Why this browser cannot go on with its log. */
  conflict?: string;
  /** Whether keys and unsent ops outlast the page. */
  persistent: boolean;
}

export interface Tagged {
  tags?: (string | Uint8Array)[];
  /** The place among the entries with the same tag, at most 31 bytes. */
  order?: string | Uint8Array;
  /** Tags of the entry before. */
  withdraw?: { tag: string | Uint8Array; order: string | Uint8Array }[];
}

export interface Change extends Tagged {
  key: Key;
  /** Without a value it is a deletion. */
  value?: string | Uint8Array;
}

interface Signal {
  signal?: AbortSignal;
}

export interface Space {
  get(key: Key, options?: Signal): Promise<GetAnswer>;
  range(
    options?: Signal & { prefix?: string | Uint8Array; owner?: number; limit?: number; reverse?: boolean; after?: string },
  ): Promise<Answer>;
  find(tag: string | Uint8Array, options?: Signal & { limit?: number; newestFirst?: boolean; after?: string }): Promise<Answer>;
  put(key: Key, value: string | Uint8Array, options?: Signal & Tagged): Promise<Written>;
  del(key: Key, options?: Signal & Pick<Tagged, "withdraw">): Promise<Written>;
  batch(changes: Change[], options?: Signal): Promise<Written>;
  /** Yields whenever the state may have changed. */
  watch(options?: Signal): AsyncIterableIterator<Info>;
  info(): Promise<Info>;
  identity(): Promise<Identity | undefined>;
  /** 32 bytes, or `rootfold-key1:` and 64 hexadecimal digits. */
  useKey(secret: Uint8Array | string): Promise<Identity>;
  newKey(): Promise<Identity>;
  sync(options?: Signal): Promise<void>;
  flush(options?: Signal): Promise<number>;
  close(): void;
}

/** What `rootfold invite --pin` prints: a page that ships it accepts nothing else, and no older state. */
export interface Pin {
  pin: 1;
  invite: string;
  /** The version of the statement. */
  statement: number;
  /** The fewest ops that the proof of a state covers. */
  ops: number;
}

/** Opens a space by its invite, or by a pin. */
export function open(invite: string | Pin, options?: OpenOptions): Promise<Space>;
export function parseInvite(text: string): { invite: string; secret?: Uint8Array };

export class RootfoldError extends Error {
  code: string;
  retry: "no" | "later" | "elsewhere";
  node?: string;
}
export class InviteError extends RootfoldError {}
export class UsageError extends RootfoldError {}
export class NetworkError extends RootfoldError {}
export class RefusedAnswerError extends RootfoldError {}
export class NodeError extends RootfoldError {}
export class NotAdmittedError extends RootfoldError {}
export class StorageError extends RootfoldError {}
