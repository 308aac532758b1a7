// gRPC-Web over `fetch`. A message has a byte of flags and its length before it; the last one has the
// status of the call as text. The messages themselves are made and read by the WebAssembly module.
import { NetworkError, NodeError, RefusedAnswerError } from "./errors.js";

/** The longest message in bytes, as in docs/formats.md. */
const MAX_MESSAGE = 4 << 20;
const TRAILERS = 0x80;
const RETRY = {
  OTHER_SPACE: "elsewhere",
  NOT_HELD: "elsewhere",
  STATE_GONE: "elsewhere",
  GAP: "later",
  BUSY: "later",
  TOO_MANY_OPS: "later",
  TOO_LATE: "later",
  DISABLED: "elsewhere",
  INTERNAL: "later",
};

/** The messages of the answer to one call. `refusal` finds the reason in the details of a status. */
export async function* call(node, method, request, { signal, refusal, token }) {
  const body = new Uint8Array(5 + request.length);
  new DataView(body.buffer).setUint32(1, request.length);
  body.set(request, 5);
  const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`${node}/rootfold.v1.${method}`, { method: "POST", headers, body, signal });
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new NetworkError(`${node} cannot be reached: ${cause.message}`, { node, cause });
  }
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok || !type.startsWith("application/grpc-web")) {
    await response.body?.cancel();
    throw new NetworkError(`${node} is not a Rootfold node: it answers with HTTP ${response.status}`, { node });
  }
  // A refusal without messages comes in the headers.
  if (response.headers.has("grpc-status")) check(response.headers, node, refusal);
  let trailers;
  for await (const [flags, message] of frames(response.body, node, signal)) {
    if (trailers) throw new RefusedAnswerError(`${node}: a message after the end of the answer`, { node });
    if (flags === TRAILERS) trailers = parse(message);
    else yield message;
  }
  if (!trailers && !response.headers.has("grpc-status")) {
    throw new NetworkError(`${node}: the answer was cut off`, { node });
  }
  if (trailers) check(trailers, node, refusal);
}

/** The only message of the answer to one call. */
export async function unary(node, method, request, options) {
  let answer;
  for await (const message of call(node, method, request, options)) {
    if (answer) throw new RefusedAnswerError(`${node}: more than one message`, { node });
    answer = message;
  }
  if (!answer) throw new RefusedAnswerError(`${node}: no message`, { node });
  return answer;
}

async function* frames(body, node, signal) {
  const reader = body.getReader();
  let held = new Uint8Array();
  try {
    for (;;) {
      while (held.length >= 5) {
        const length = new DataView(held.buffer, held.byteOffset).getUint32(1);
        if (length > MAX_MESSAGE) throw new RefusedAnswerError(`${node}: a message of ${length} bytes`, { node });
        if (held.length < 5 + length) break;
        yield [held[0], held.slice(5, 5 + length)];
        held = held.subarray(5 + length);
      }
      let part;
      try {
        part = await reader.read();
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        throw new NetworkError(`${node}: the connection broke: ${cause.message}`, { node, cause });
      }
      if (part.done) {
        if (held.length > 0) throw new NetworkError(`${node}: the answer was cut off`, { node });
        return;
      }
      const joined = new Uint8Array(held.length + part.value.length);
      joined.set(held);
      joined.set(part.value, held.length);
      held = joined;
    }
  } finally {
    // Also if the caller wants no more of it.
    reader.cancel().catch(() => {});
  }
}

function parse(bytes) {
  const lines = new TextDecoder().decode(bytes).split("\r\n");
  const pairs = lines.filter((line) => line.includes(":")).map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
  });
  return new Map(pairs);
}

function check(headers, node, refusal) {
  const status = headers.get("grpc-status") ?? "2";
  if (status === "0") return;
  let code;
  let message = headers.get("grpc-message") ?? "";
  try {
    message = decodeURIComponent(message);
    const details = atob((headers.get("grpc-status-details-bin") ?? "").replace(/-/g, "+").replace(/_/g, "/"));
    code = refusal(Uint8Array.from(details, (c) => c.charCodeAt(0)));
  } catch {
    // The node's text is for people only; without details there is no reason.
  }
  // 14: a proxy cannot reach the node.
  const retry = RETRY[code] ?? (status === "14" ? "later" : "no");
  throw new NodeError(`${node} refused: ${message.slice(0, 500)}`, { node, code: code ?? `GRPC_${status}`, retry });
}
