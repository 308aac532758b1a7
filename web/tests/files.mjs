// A space from plain files: no node runs, and the host of the files is not trusted.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch, Node } from "./support.mjs";

const LONG = `A long story. ${"More of it. ".repeat(400)}`.trim();
const PROVED = [
  ["owner", "Welcome.", "help"],
  ["ada", "A cat posted this.", "cats"],
  ["owner", "Two dogs met.", "dogs"],
  ["ada", "Cats and dogs agree.", "cats", "dogs"],
  ["ada", LONG, "stories"],
];
const NEWER = ["ada", "Newer than the proof.", "cats"];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };
const root = mkdtempSync(join(tmpdir(), "rootfold-files-"));
const told = [...PROVED, NEWER].map(([, text]) => text);
let node;
let host;
let browser;

/** A host of plain files. Under `/other` it has the same files, changed by `change`. */
class Host {
  change = (_name, content) => content;

  static async start() {
    const host = new Host();
    host.server = http.createServer((request, response) => host.#answer(request, response));
    await new Promise((resolve) => host.server.listen(0, "127.0.0.1", resolve));
    host.url = `http://127.0.0.1:${host.server.address().port}`;
    return host;
  }

  #answer(request, response) {
    const path = normalize(new URL(request.url, this.url).pathname);
    const name = path.replace(/^\/other\//, "/").replace(/\/$/, "/index.html");
    let content;
    try {
      content = readFileSync(join(root, name));
    } catch {
      return response.writeHead(404).end();
    }
    if (path.startsWith("/other/")) content = this.change(name.replace("/space/", ""), content);
    if (!content) return response.writeHead(404).end();
    const etag = `"${createHash("sha256").update(content).digest("hex")}"`;
    if (request.headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
    return response.writeHead(200, { etag, "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(content);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const publish = () => node.rootfold("publish", "--to", pathToFileURL(join(root, "space")).href);

before(async () => {
  [node, host, browser] = await Promise.all([Node.make(PROVED), Host.start(), launch()]);
  node.invite = (await node.rootfold("invite")).match(/rootfold1:[0-9a-f]{64}:[0-9a-f]{64}/)[0];
  cpSync(join(process.env.ROOTFOLD_WEB, "board"), join(root, "board"), { recursive: true });
  await publish();
});
after(async () => {
  await browser?.close();
  host?.stop();
  await node?.stop();
  rmSync(root, { recursive: true, force: true });
});

const texts = (page) => page.locator("#posts li > p").allTextContents();
const post = (page, text) => page.locator("#posts li").filter({ hasText: text });
const proven = (page) => page.locator("#summary").filter({ hasText: "proven" }).waitFor();

async function board(...spaces) {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(`${host.url}/board/#${node.invite}@${spaces.map((space) => `${host.url}/${space}`).join(",")}`);
  return page;
}

test("a page reads a space without any node, and sees what is published later", async (t) => {
  const began = performance.now();
  const page = await board("space");
  await proven(page);
  t.diagnostic(`from an empty cache to the first verified answer: ${(performance.now() - began).toFixed(0)} ms`);
  assert.deepEqual(await texts(page), PROVED.map(([, text]) => text).reverse());
  assert.ok(readdirSync(join(root, "space", "values")).length > 0, "the long post is a file");
  await page.getByLabel("Posts with").fill("#cats");
  await page.getByLabel("Posts with").press("Enter");
  await post(page, "Two dogs met.").waitFor({ state: "detached" });
  assert.deepEqual(await texts(page), ["Cats and dogs agree.", "A cat posted this."]);

  await node.post(PROVED.length, NEWER[0], NEWER[1], NEWER.slice(2));
  await publish();
  await post(page, NEWER[1]).waitFor();
  assert.deepEqual(await texts(page), [NEWER[1], "Cats and dogs agree.", "A cat posted this."]);
  assert.equal(await post(page, NEWER[1]).locator(".signed").count(), 1);
  assert.ok(await page.locator("#alarm").isHidden());
  await page.context().close();
});

test("without a network the page reads what it has read before", async () => {
  const page = await board("space");
  await post(page, NEWER[1]).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await proven(page);
  await page.context().setOffline(true);
  await page.reload();
  await proven(page);
  assert.deepEqual((await texts(page)).sort(), [...told].sort());
  assert.equal(await post(page, NEWER[1]).locator(".signed").count(), 1);
  await page.context().close();
});

test("a page with a pin takes nothing else, and no older state", async () => {
  const page = await board("space");
  await proven(page);
  const at = `${host.url}/space`;
  const pin = JSON.parse(await node.rootfold("invite", "--at", at, "--pin"));
  const open = (change) =>
    page.evaluate(
      async ([pin, module]) => {
        const { open } = await import(module);
        try {
          const space = await open(pin);
          const { ops } = await space.info();
          space.close();
          return { ops };
        } catch ({ name, message }) {
          return { name, message };
        }
      },
      [{ ...pin, ...change }, `${host.url}/board/rootfold/index.js`],
    );
  assert.deepEqual(await open({}), { ops: pin.ops });
  const older = await open({ ops: pin.ops + 1 });
  assert.equal(older.name, "RefusedAnswerError");
  assert.ok(older.message.includes(at), older.message);
  assert.equal((await open({ statement: pin.statement + 1 })).name, "InviteError");
  assert.equal((await open({ pin: 2 })).name, "InviteError");
  await page.context().close();
});

const flip = (at) => (content) => {
  const altered = Buffer.from(content);
  altered[Math.min(at, altered.length - 1)] ^= 1;
  return altered;
};
const LIES = {
  "an object is altered": ["objects/", flip(40)],
  "an object is cut": ["objects/", (content) => content.subarray(0, content.length - 1)],
  "the pointer is that of another space": ["published", flip(10)],
  "the pointer names another object": ["published", (content) => flip(content.length - 5)(content)],
  "the pointer is not one": ["published", () => Buffer.from("<!doctype html>")],
  "a page is altered at its begin": ["pages/", flip(3)],
  "a page is altered": ["pages/", flip(120)],
  "a page is altered at its end": ["pages/", (content) => flip(content.length - 3)(content)],
  "a page is removed": ["pages/", () => undefined],
  "a value is altered": ["values/", flip(9)],
  "a primary key is altered": ["keys/", flip(60)],
  "primary keys are left out": ["keys/", () => Buffer.alloc(0)],
  "primary keys are removed": ["keys/", () => undefined],
  "an object is removed": ["objects/", () => undefined],
};

for (const [name, [files, change]] of Object.entries(LIES)) {
  test(`refused: ${name}`, async (t) => {
    let changed = 0;
    host.change = (file, content) => (file.startsWith(files) ? (changed++, change(content)) : content);
    const page = await board("other/space");
    const said = page.locator("#message, #refused li").filter({ hasText: "refused" }).first();
    await said.waitFor();
    t.diagnostic((await said.textContent()).replaceAll(host.url, "HOST").slice(0, 200));
    assert.ok(changed > 0, "the lie was told");
    assert.ok((await said.textContent()).includes(`${host.url}/other/space`));
    for (const text of await texts(page)) assert.ok(told.includes(text), `shown: ${text}`);
    await page.context().close();
  });
}

test("with an honest host beside it the page shows the truth and names the liar", async () => {
  host.change = (file, content) => (file.startsWith("pages/") ? flip(120)(content) : content);
  const page = await board("other/space", "space");
  await post(page, NEWER[1]).waitFor();
  assert.deepEqual((await texts(page)).sort(), [...told].sort());
  await page.locator("#refused li").filter({ hasText: "/other/space" }).first().waitFor();
  await page.context().close();
});
