// Errors. Programs read `code` and `retry`; `message` is for people.
//
//   retry   "no"         the same call fails again
//           "later"      the same call may succeed later
//           "elsewhere"  another node may answer

export class RootfoldError extends Error {
  constructor(message, { code, retry = "no", node, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = retry;
    this.node = node;
  }
}

/** The text is not an invite. */
export class InviteError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "INVALID_INVITE", ...more });
  }
}

/** A key, a tag or an option that cannot be used. */
export class UsageError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "INVALID_ARGUMENT", ...more });
  }
}

/** No node can be reached. */
export class NetworkError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "UNREACHABLE", retry: "later", ...more });
  }
}

/** A node sent something that is not true, or not whole. */
export class RefusedAnswerError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "ANSWER_REFUSED", retry: "elsewhere", ...more });
  }
}

/** A node refused the call; `code` is the reason in docs/api.md, or `GRPC_` and the number of its status. */
export class NodeError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "GRPC_2", ...more });
  }
}

/** The key of this browser is not that of a writer of the space. */
export class NotAdmittedError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "NOT_ADMITTED", ...more });
  }
}

/** The browser's storage is full, or not there. */
export class StorageError extends RootfoldError {
  constructor(message, more) {
    super(message, { code: "STORAGE", ...more });
  }
}

/** Runs a check of what a node or a host of files sent. */
export function checked(node, what, check) {
  try {
    return check();
  } catch (cause) {
    throw new RefusedAnswerError(`${node}: ${what} refused: ${cause.message}`, { node, cause });
  }
}

const classes = {
  RootfoldError,
  InviteError,
  UsageError,
  NetworkError,
  RefusedAnswerError,
  NodeError,
  NotAdmittedError,
  StorageError,
};

/** An error as an object that a worker can send. */
export function toPlain(error) {
  const { name, message, code, retry, node } = error;
  return { name, message: String(message), code, retry, node };
}

/** The error that `toPlain` was given. */
export function fromPlain({ name, message, code, retry, node }) {
  if (name === "AbortError") return new DOMException(message, "AbortError");
  const Class = classes[name] ?? RootfoldError;
  return new Class(message, { code: code ?? "INTERNAL", retry, node });
}
