// What a person does with the board, in a real browser.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, Node } from "./support.mjs";

const POSTS = [
  ["owner", "Welcome.", "help"],
  ["ada", "A cat posted this.", "cats"],
  ["owner", "Two dogs met.", "dogs"],
  ["ada", "Cats and dogs agree.", "cats", "dogs"],
];
const pictures = join(process.env.ROOTFOLD_WEB, "..", "web-screenshots");
let node;
let browser;

before(async () => {
  mkdirSync(pictures, { recursive: true });
  [node, browser] = await Promise.all([Node.start(POSTS), launch()]);
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

/** A person with the board open, in a browser of their own. */
async function person(url, options = {}) {
  const context = await browser.newContext(options);
  // A loaded machine is slow; how long things take is printed, and not asserted.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(url);
  await page.locator("#summary").filter({ hasText: "proven" }).waitFor();
  return page;
}

const texts = (page) => page.locator("#posts li > p").allTextContents();
const post = (page, text) => page.locator("#posts li").filter({ hasText: text });

async function write(page, text, tags) {
  await page.getByLabel("Post", { exact: true }).fill(text);
  await page.getByLabel("Tags").fill(tags);
  await page.getByRole("button", { name: "Post", exact: true }).click();
}

test("a reader sees what is proved, newest first, and filters by tag", async (t) => {
  const began = performance.now();
  const page = await person(node.page());
  t.diagnostic(`from an empty cache to the first verified answer: ${(performance.now() - began).toFixed(0)} ms`);
  assert.deepEqual(await texts(page), POSTS.map(([, text]) => text).reverse());
  assert.match(await page.locator("#summary").textContent(), /✓ proven · \d+ ms/);
  assert.ok(await page.locator("#alarm").isHidden());
  await page.getByLabel("Posts with").fill("#cats");
  await page.getByLabel("Posts with").press("Enter");
  await post(page, "Two dogs met.").waitFor({ state: "detached" });
  assert.deepEqual(await texts(page), ["Cats and dogs agree.", "A cat posted this."]);
  await page.screenshot({ path: join(pictures, "cats.png") });
  await page.context().close();
});

test("a post is seen by another, and can be edited and deleted", async (t) => {
  const [ada, reader] = [await person(node.page(undefined, "ada")), await person(node.page())];
  await ada.locator("#write").waitFor();
  assert.doesNotMatch(ada.url(), /rootfold-key1/, "the key does not stay in the address");
  const began = performance.now();
  await write(ada, "Fish are quiet.", "#fish #cats");
  await post(reader, "Fish are quiet.").waitFor();
  t.diagnostic(`a post is seen in a second browser after ${(performance.now() - began).toFixed(0)} ms`);
  assert.equal((await texts(reader))[0], "Fish are quiet.");
  assert.equal(await post(reader, "Fish are quiet.").locator(".signed").count(), 1);
  assert.equal(await post(reader, "Fish are quiet.").getByRole("button", { name: "Edit" }).count(), 0);
  await ada.screenshot({ path: join(pictures, "board.png") });

  await post(ada, "Fish are quiet.").getByRole("button", { name: "Edit" }).click();
  await ada.getByLabel("Post", { exact: true }).fill("Fish are loud.");
  await ada.getByLabel("Tags").fill("#fish");
  await ada.getByRole("button", { name: "Save" }).click();
  await post(reader, "Fish are loud.").waitFor();
  await reader.getByLabel("Posts with").fill("cats");
  await reader.getByRole("button", { name: "Show" }).click();
  await post(reader, "Fish are loud.").waitFor({ state: "detached" });
  assert.deepEqual(await texts(reader), ["Cats and dogs agree.", "A cat posted this."]);

  ada.on("dialog", (dialog) => dialog.accept());
  await post(ada, "Fish are loud.").getByRole("button", { name: "Delete" }).click();
  await post(ada, "Fish are loud.").waitFor({ state: "detached" });
  await reader.getByLabel("Posts with").fill("");
  await reader.getByRole("button", { name: "Show" }).click();
  await post(reader, "Two dogs met.").waitFor();
  await post(reader, "Fish are loud.").waitFor({ state: "detached" });
  await ada.context().close();
  await reader.context().close();
});

test("a new reader becomes a writer when the owner admits their key", async () => {
  const page = await person(node.page());
  const command = await page.locator("#grant").filter({ hasText: "rootfold grant" }).textContent();
  await node.rootfold(...command.split(" ").slice(1));
  await page.locator("#write").waitFor();
  await write(page, "I am new here.", "#help");
  await post(page, "I am new here.").waitFor();
  // The key outlasts the page.
  await page.reload();
  await post(page, "I am new here.").getByRole("button", { name: "Edit" }).waitFor();
  await page.context().close();
});

test("without a network the page opens, reads, and keeps what is written", async () => {
  const page = await person(node.page(undefined, "ada"));
  const shown = await texts(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.locator("#summary").filter({ hasText: "proven" }).waitFor();
  await page.context().setOffline(true);
  await page.reload();
  await page.locator("#summary").filter({ hasText: "proven" }).waitFor();
  assert.deepEqual(await texts(page), shown);
  await page.locator("#write").waitFor();
  await write(page, "Written in a tunnel.", "#help");
  await post(page, "Written in a tunnel.").filter({ hasText: "not sent yet" }).waitFor();
  await page.reload();
  await post(page, "Written in a tunnel.").waitFor();
  await page.context().setOffline(false);
  const reader = await person(node.page());
  await post(reader, "Written in a tunnel.").waitFor();
  await page.context().close();
  await reader.context().close();
});

test("two tabs with one key continue one log", async () => {
  const one = await person(node.page(undefined, "owner"));
  const two = await one.context().newPage();
  await two.goto(node.page());
  await Promise.all([one, two].map((page) => page.locator("#write").waitFor()));
  await Promise.all([write(one, "From tab one.", "#tabs"), write(two, "From tab two.", "#tabs")]);
  for (const page of [one, two]) {
    for (const text of ["From tab one.", "From tab two."]) await post(page, text).waitFor();
  }
  assert.equal((await node.rootfold("forks")).includes("writer 0"), false);
  await one.context().close();
});

test("the page works by keyboard, on a phone and in the dark", async () => {
  const options = { viewport: { width: 360, height: 640 }, colorScheme: "dark", hasTouch: true };
  const page = await person(node.page(undefined, "ada"), options);
  await page.locator("#write").waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, "it does not scroll sideways");
  await page.getByLabel("Post", { exact: true }).focus();
  await page.keyboard.type("By keyboard.");
  await page.keyboard.press("Tab");
  await page.keyboard.type("#keys");
  await page.keyboard.press("Enter");
  await post(page, "By keyboard.").waitFor();
  await page.screenshot({ path: join(pictures, "phone-dark.png") });
  await page.context().close();
});

test("a mistyped invite and a node that is away have clear messages", async () => {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(`http://${node.address}/board/`);
  const attempt = async (invite, message) => {
    await page.getByLabel("Invite").fill(invite);
    await page.getByRole("button", { name: "Join" }).click();
    await page.locator("#message").filter({ hasText: message }).waitFor();
  };
  await attempt("rootfold2:x", "rootfold1");
  await attempt(`${node.invite.slice(0, -1)}@${node.address}`, "parameter id");
  await attempt(`${node.invite}@127.0.0.1:1`, "cannot be reached");
  await attempt(node.invite, "no node is known");
  await context.close();
});
