// A node with a board, a server that lies, and a browser.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const { ROOTFOLD_PROGRAM, ROOTFOLD_WEB, ROOTFOLD_PLAYWRIGHT, CHROMIUM } = process.env;
const { chromium } = await import(pathToFileURL(ROOTFOLD_PLAYWRIGHT));
const run = promisify(execFile);

/** A browser, in which each context is a person. */
export function launch() {
  // The sandbox of Chromium does not work for root.
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

/** A node whose space has posts of its owner and of ada. */
export class Node {
  data = mkdtempSync(join(tmpdir(), "rootfold-web-"));

  async rootfold(...args) {
    const { stdout } = await run(ROOTFOLD_PROGRAM, ["--data", this.data, ...args]);
    return stdout;
  }

  static async start(posts, options = []) {
    const node = await Node.make(posts);
    await node.serve(options);
    return node;
  }

  /** A node that does not serve. */
  static async make(posts) {
    const node = new Node();
    await node.rootfold("space", "new");
    await node.rootfold("writer", "new", "ada");
    await node.rootfold("grant", "ada");
    for (const [index, [writer, text, ...tags]] of posts.entries()) await node.post(index, writer, text, tags);
    await node.rootfold("prove");
    await node.rootfold("publish");
    return node;
  }

  post(index, writer, text, tags) {
    const marks = ["post", ...tags.map((tag) => `#${tag}`)].flatMap((tag) => ["--tag", tag]);
    const order = ["--order", new Date(Date.UTC(2026, 0, 1) + index).toISOString()];
    return this.rootfold("put", "--own", `post/${index}`, "--as", writer, ...marks, ...order, JSON.stringify({ text, tags }));
  }

  async serve(options) {
    const args = ["--json", "--data", this.data, "serve", "--listen", "127.0.0.1:0", "--web", ROOTFOLD_WEB, ...options];
    this.process = spawn(ROOTFOLD_PROGRAM, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    const line = await new Promise((resolve, reject) => {
      this.process.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
      this.process.stdout.on("data", (part) => {
        text += part;
        if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
      });
    });
    const { address, invite } = JSON.parse(line);
    this.address = address;
    this.invite = invite.split("@")[0];
  }

  /** The text with which the holder of a key writes. */
  pass(name) {
    return `rootfold-key1:${readFileSync(join(this.data, "keys", `${name}.key`), "utf8").trim()}`;
  }

  /** The board as this address serves it, for nodes at these addresses. */
  page(addresses = [this.address], pass = undefined) {
    const own = pass ? `&${this.pass(pass)}` : "";
    return `http://${addresses[0]}/board/#${this.invite}@${addresses.join(",")}${own}`;
  }

  async stop() {
    if (this.process) {
      const ended = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** A server between the browser and a node, which changes messages: `lie(method, fields)` returns other fields. */
export class Liar {
  lie = undefined;
  calls = [];

  static async start(node) {
    const liar = new Liar();
    liar.server = http.createServer((request, response) => liar.#pass(node, request, response));
    await new Promise((resolve) => liar.server.listen(0, "127.0.0.1", resolve));
    liar.address = `127.0.0.1:${liar.server.address().port}`;
    return liar;
  }

  async #pass(node, request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const method = request.url.split("/").at(-1);
    const origin = request.headers.origin;
    const cors = origin ? { "access-control-allow-origin": origin, "access-control-allow-headers": "content-type,x-grpc-web" } : {};
    if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
    if (request.method === "POST") this.calls.push(method);
    const headers = { ...request.headers, host: node.address };
    const onward = http.request({ host: "127.0.0.1", port: node.address.split(":")[1], path: request.url, method: request.method, headers }, (answer) => {
      const { "content-length": _, ...rest } = answer.headers;
      response.writeHead(answer.statusCode, { ...rest, ...cors });
      if (request.method !== "POST" || method === "Watch" || !this.lie) return answer.pipe(response);
      const bytes = [];
      answer.on("data", (part) => bytes.push(part));
      answer.on("end", () => response.end(this.#changed(method, Buffer.concat(bytes))));
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    onward.end(body);
  }

  #changed(method, bytes) {
    const frames = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32BE(at + 1);
      const message = bytes.subarray(at + 5, at + 5 + length);
      const lie = bytes[at] === 0 ? this.lie(method, decode(message)) : undefined;
      const sent = lie ? encode(lie) : message;
      const head = Buffer.alloc(5);
      head[0] = bytes[at];
      head.writeUInt32BE(sent.length, 1);
      frames.push(head, sent);
      at += 5 + length;
    }
    return Buffer.concat(frames);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** The fields of a protobuf message: [number, bytes], or [number, bigint]. */
export function decode(bytes) {
  const fields = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) fields.push([tag >> 3, varint()]);
    else {
      const length = Number(varint());
      fields.push([tag >> 3, Buffer.from(bytes.subarray(at, at + length))]);
      at += length;
    }
  }
  return fields;
}

export function encode(fields) {
  const varint = (value) => {
    const bytes = [];
    for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
    return Buffer.from([...bytes, Number(value)]);
  };
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === "bigint"
        ? [varint(BigInt(number << 3)), varint(value)]
        : [varint(BigInt((number << 3) | 2)), varint(BigInt(value.length)), value],
    ),
  );
}
