// A server that lies: the page names what it refused, and shows nothing false.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decode, encode, launch, Liar, Node } from "./support.mjs";

const PROVED = [
  ["owner", "Welcome.", "help"],
  ["ada", "A cat posted this.", "cats"],
  ["ada", "Cats and dogs agree.", "cats", "dogs"],
];
const NEWER = ["ada", "Newer than the proof.", "cats"];
const TRUE = [...PROVED, NEWER].map(([, text]) => text);
let node;
let liar;
let browser;

before(async () => {
  [node, browser] = await Promise.all([Node.start(PROVED, ["--web-origin", "*"]), launch()]);
  await node.post(9, NEWER[0], NEWER[1], NEWER.slice(2));
  liar = await Liar.start(node);
});
after(async () => {
  await browser?.close();
  liar?.stop();
  await node?.stop();
});

/** Changes one byte of the field with this number, if it has so many. */
const flip = (number, at) => (fields) => {
  const field = fields.find(([held, value]) => held === number && value.length > at);
  if (field) field[1][at] ^= 1;
  return fields;
};
/** Changes the message in a field. */
const inside = (number, change) => (fields) =>
  fields.map(([held, value]) => (held === number ? [held, encode(change(decode(value)))] : [held, value]));
/** Leaves out the last field with this number. */
const without = (number) => (fields) => {
  const last = fields.findLastIndex(([held]) => held === number);
  return fields.filter((_, index) => index !== last);
};
const set = (number, value) => (fields) => [...fields.filter(([held]) => held !== number), [number, value]];

const LIES = {
  "a page is altered": ["Find", inside(2, flip(2, 40))],
  "a post is hidden": ["Find", without(3)],
  "a page is left out": ["Find", without(2)],
  "an entry is altered": ["Find", inside(3, inside(1, flip(4, 20)))],
  "the path of an entry is altered": ["Find", inside(3, inside(2, flip(1, 5)))],
  "the answer is cut": ["Find", (fields) => without(3)(without(2)(fields))],
  "an answer under another root": ["Find", set(1, Buffer.alloc(32, 1))],
  "a claim is altered": ["LatestSnapshot", inside(1, inside(1, set(4, 1_000n)))],
  "a proof is altered": ["LatestSnapshot", inside(1, flip(2, 5_000))],
  "a proof of another space": ["LatestSnapshot", inside(1, inside(1, flip(1, 31)))],
  "the verifying key is altered": ["VerifyingKey", flip(1, 100)],
  "a pointer to a snapshot that is not there": ["Frontier", set(5, 1_000_000n)],
  "a value is altered": ["LogEntries", inside(1, inside(1, flip(2, 12)))],
  "an op is altered": ["LogEntries", inside(1, inside(2, inside(3, flip(3, 31))))],
  "a signature is altered": ["LogEntries", inside(1, inside(2, inside(3, flip(4, 90))))],
  "ops of another writer": ["LogEntries", inside(1, inside(2, set(1, 0n)))],
  "the head of a writer is altered": ["GetMany", inside(4, flip(2, 60))],
};

async function board(addresses) {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(node.page(addresses));
  return page;
}

const texts = (page) => page.locator("#posts li > p").allTextContents();

test("through a server that does not lie the page has nothing to refuse", async () => {
  const page = await board([liar.address]);
  await page.locator("#posts li").filter({ hasText: NEWER[1] }).waitFor();
  assert.deepEqual((await texts(page)).sort(), [...TRUE].sort());
  assert.ok(await page.locator("#alarm").isHidden());
  await page.context().close();
});

for (const [name, [method, change]] of Object.entries(LIES)) {
  test(`refused: ${name}`, async (t) => {
    liar.calls = [];
    liar.lie = (called, fields) => (called === method ? change(fields) : undefined);
    const page = await board([liar.address]);
    const said = page.locator("#message, #refused li").filter({ hasText: /refused|names a snapshot/ }).first();
    await said.waitFor();
    t.diagnostic((await said.textContent()).replaceAll(liar.address, "LIAR").slice(0, 160));
    assert.ok(liar.calls.includes(method), "the lie was told");
    assert.match(await said.textContent(), new RegExp(liar.address));
    for (const text of await texts(page)) assert.ok(TRUE.includes(text), `shown: ${text}`);
    await page.context().close();
    liar.lie = undefined;
  });
}

test("with an honest node beside it the page shows the truth and names the liar", async () => {
  liar.lie = (method, fields) => (method === "Find" ? without(3)(fields) : undefined);
  const page = await board([liar.address, node.address]);
  await page.locator("#posts li").filter({ hasText: NEWER[1] }).waitFor();
  assert.deepEqual((await texts(page)).sort(), [...TRUE].sort());
  await page.locator("#refused li").filter({ hasText: liar.address }).first().waitFor();
  await page.context().close();
  liar.lie = undefined;
});
