// A pin: what a page that ships it accepts, and nothing else. `rootfold invite --pin` prints one.
import { InviteError, RefusedAnswerError } from "./errors.js";

/** The version of pins that this package reads. */
const VERSION = 1;

/** The invite and the pin in what `open` was given: a text without a pin, or a pin. */
export function parsePin(given, wasm) {
  if (typeof given === "string") return { invite: given };
  const { pin, invite, statement, ops } = given ?? {};
  if (pin !== VERSION || typeof invite !== "string" || !Number.isSafeInteger(ops) || ops < 0) {
    throw new InviteError(`not a pin of version ${VERSION}: rootfold invite --pin prints one`);
  }
  const own = wasm.statement();
  if (statement !== own) {
    throw new InviteError(`the pin is for statement ${statement}, this package checks statement ${own}`);
  }
  return { invite, leastOps: BigInt(ops) };
}

/** Refuses a state whose proof covers fewer ops than the pin. */
export function checkPinned(address, state, leastOps = 0n) {
  if (state.ops >= leastOps) return;
  const what = `${address}: its newest snapshot covers ${state.ops} ops, the pin of this page wants ${leastOps}`;
  throw new RefusedAnswerError(what, { node: address });
}
