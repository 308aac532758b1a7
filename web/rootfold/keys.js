// The secret key of a space. It is encrypted with a key of WebCrypto that scripts cannot read out, where the page
// has WebCrypto (https, or localhost). A script of the same origin can still sign with it. Elsewhere it is kept
// as it is, and `protection` says "plain".
import { exclusively } from "./storage.js";
import { unhex } from "./text.js";

const WRAP = "wrapping-key";

export async function readKey(storage, space) {
  const kept = await storage.get("keys", space);
  if (!kept) return undefined;
  const { protection } = kept;
  if (protection === "plain") return { secret: kept.secret, protection };
  const key = await storage.get("keys", WRAP);
  const secret = await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv }, key, kept.secret);
  return { secret: new Uint8Array(secret), protection };
}

export async function writeKey(storage, space, secret) {
  const key = await wrappingKey(storage);
  if (!key) {
    await storage.put("keys", space, { secret, protection: "plain" });
    return "plain";
  }
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const encrypted = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, secret);
  await storage.put("keys", space, { secret: encrypted, iv, protection: "webcrypto" });
  return "webcrypto";
}

async function wrappingKey(storage) {
  if (!globalThis.crypto?.subtle) return undefined;
  return exclusively("rootfold:wrapping-key", async () => {
    const held = await storage.get("keys", WRAP);
    if (held) return held;
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await storage.put("keys", WRAP, key);
    return key;
  });
}

const PASS = /^rootfold-key1:([0-9a-f]{64})$/;

/** The secret key in a pass, `rootfold-key1:` and 64 hexadecimal digits; `undefined` if the text is not a pass. */
export function parsePass(text) {
  const digits = PASS.exec(text.trim())?.[1];
  return digits && unhex(digits);
}
