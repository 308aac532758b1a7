// Invites, and the addresses in them.
import { InviteError } from "./errors.js";
import { parsePass } from "./keys.js";

/** The parts of an invite, or of an address whose fragment has one. */
export function parseInvite(text) {
  const fragment = text.includes("#") ? text.slice(text.indexOf("#") + 1) : text;
  const [invite, ...more] = fragment.split("&").map((part) => decodeURIComponent(part.trim()));
  if (!invite) throw new InviteError("there is no invite: it begins with rootfold1:");
  return { invite, secret: more.map(parsePass).find((secret) => secret) };
}

/** The base address of a node, or of published files: these have a path. */
export function parseAddress(address) {
  const [, given, host, path] = /^(https?:\/\/)?([^/]*)(.*?)\/*$/.exec(address);
  // A page of https may call nodes with TLS alone.
  const scheme = given ?? (globalThis.location?.protocol === "https:" ? "https://" : "http://");
  const files = path !== "";
  const port = given || files || /:\d+$/.test(host) ? "" : ":7340";
  return { address: `${scheme}${host}${port}${path}`, files };
}
