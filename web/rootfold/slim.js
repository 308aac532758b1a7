// The client in the thread of the caller. A proof takes tens of milliseconds and a verifying key a second, in
// which a page does not move: pages use index.js, which does the same in a worker.
import { Client } from "./client.js";

export { parseInvite } from "./addresses.js";
export * from "./errors.js";

/** Opens a space. */
export function open(invite, options) {
  return Client.open(invite, options);
}
