// Keys and values as callers give them.
import { UsageError } from "./errors.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytesOf = (data) => (typeof data === "string" ? encoder.encode(data) : data);
export const textOf = (bytes) => decoder.decode(bytes);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** The owner and the bytes of a key: a text, bytes, or `{ owner, key }`; `owner: "self"` is the signer. */
export function split(key, self) {
  if (typeof key === "string" || key instanceof Uint8Array) return [undefined, bytesOf(key)];
  if (key?.key === undefined) throw new UsageError("a key is a text, bytes, or { owner, key }");
  return [key.owner === "self" ? self : key.owner, bytesOf(key.key)];
}
