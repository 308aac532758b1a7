// A board: posts with tags, in a Rootfold space. Every answer is checked in this browser; no server is trusted.
//
// A post is an entry under a key that only its author may write. Its value is JSON: { text, tags }. It has a
// mark for each tag, and one for ALL, with the time of the post as their order: "the first 32 posts with #cats,
// newest first" is one query, whose answer is proved to be complete.
import { open, parseInvite } from "./rootfold/index.js";

const ALL = "post";
const PAGE = 32;
const KEPT = "board.invite";

const $ = (id) => document.getElementById(id);
let space;
let me;
let editing;
let tag = "";
let wanted = PAGE;
let shown;

// Joining.

async function join(text) {
  $("join").hidden = true;
  say("joining");
  try {
    const { invite } = parseInvite(text);
    space = await open(text, { onProgress: ({ what }) => say(what) });
    localStorage.setItem(KEPT, invite);
    // A key in the address would stay in the history.
    history.replaceState(null, "", `#${invite}`);
  } catch (error) {
    fail(error);
    $("join").hidden = false;
    $("invite").value = text;
    return;
  }
  if (!(await space.identity())) await space.newKey();
  $("filter").hidden = $("proof").hidden = false;
  await show();
  say("");
  for await (const info of space.watch()) await update(info);
}

async function update(info) {
  me = info.identity?.writer;
  $("write").hidden = me === undefined;
  $("ask").hidden = me !== undefined;
  $("grant").textContent = `rootfold grant ${info.identity?.publicKey}`;
  alarm(info.refused, info.forks);
  if (info.conflict) say(info.conflict);
  await show(info);
}

// Reading.

async function show(info) {
  info ??= await space.info();
  try {
    const answer = await space.find(tag ? `#${tag}` : ALL, { limit: wanted, newestFirst: true });
    me = info.identity?.writer;
    describe(answer, info);
    draw(answer, info);
    alarm(answer.refused, info.forks);
  } catch (error) {
    fail(error);
    alarm((await space.info()).refused, info.forks);
  }
}

function draw(answer, info) {
  const waiting = new Set(info.pending.filter((op) => op.status === "signed").map((op) => op.writer));
  const state = JSON.stringify([tag, me, answer.items.map((item) => [item.key, item.writer, item.text, item.voucher]), [...waiting]]);
  // Drawing again would take the focus away.
  if (state === shown) return;
  shown = state;
  $("posts").replaceChildren(...answer.items.map((item) => post(item, waiting)));
  $("more").hidden = !answer.next;
  if (answer.items.length === 0) $("posts").append(element("li", {}, tag ? `No posts with #${tag}.` : "No posts."));
}

function post(item, waiting) {
  const { text, tags } = read(item);
  const when = element("time", { dateTime: new Date(item.time).toISOString() }, new Date(item.time).toLocaleString());
  const unsent = item.writer === me && item.voucher === "signed" && waiting.has(me);
  const voucher = element("span", { className: item.voucher }, unsent ? "signed, not sent yet" : item.voucher);
  const footer = element("footer", {}, `writer ${item.owner}`, when, voucher);
  tags.forEach((name) => footer.append(button(`#${name}`, () => filter(name))));
  if (item.owner === me) {
    footer.append(button("Edit", () => edit(item)), button("Delete", () => remove(item)));
  }
  return element("li", {}, element("p", {}, text), footer);
}

/** The text and tags of a post. Anybody may write anything under their own keys. */
function read(item) {
  try {
    const { text, tags } = JSON.parse(item.text);
    return { text: String(text), tags: Array.isArray(tags) ? tags.map(String) : [] };
  } catch {
    return { text: "(not a post)", tags: [] };
  }
}

function describe(answer, info) {
  const age = answer.synced ? `${Math.round((Date.now() - answer.synced) / 1000)} s old` : "never checked with a node";
  const ops = `${answer.ops} ops proved, ${answer.tailOps} signed after them`;
  $("summary").textContent = `${answer.voucher === "proven" ? "✓ proven" : "✓ proven and signed"} · ${answer.ms.toFixed(0)} ms · ${age}`;
  facts({
    "checked under root": answer.root,
    covers: ops,
    answer: `${answer.items.length} posts, ${answer.bytes} bytes from ${answer.nodes.join(", ") || "this browser"}`,
    nodes: info.nodes.join(", "),
    "you are": me === undefined ? "a reader" : `writer ${me}; the key is kept ${info.identity.protection === "webcrypto" ? "encrypted" : "as it is"}${info.persistent ? "" : ", until this page closes"}`,
    unsent: `${info.pending.filter((op) => op.status === "signed").length} ops`,
    space: info.space,
    parameters: info.parameters,
  });
}

function facts(pairs) {
  $("facts").replaceChildren(...Object.entries(pairs).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function alarm(refused, forks) {
  const lines = refused.slice(-5).map(({ what }) => what);
  lines.push(...forks.map(({ writer, ops }) => `writer ${writer} has signed two different logs after op ${ops}`));
  $("alarm").hidden = lines.length === 0;
  $("refused").replaceChildren(...lines.map((line) => element("li", {}, line)));
}

function filter(name) {
  tag = name.replace(/^#/, "").trim();
  $("tag").value = tag && `#${tag}`;
  wanted = PAGE;
  return show();
}

// Writing.

function marks(tags, at) {
  return [ALL, ...tags.map((name) => `#${name}`)].map((tag) => ({ tag, order: at }));
}

async function send() {
  const text = $("text").value.trim();
  const tags = [...new Set($("tags").value.split(/[\s,#]+/).filter(Boolean))];
  // The place of the post among others. Such texts sort as their times do.
  const at = editing?.order ?? new Date().toISOString();
  const key = editing?.key ?? `post/${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  const withdraw = editing ? marks(read(editing).tags, at) : [];
  const names = marks(tags, at).map(({ tag }) => tag);
  await space.put({ owner: "self", key }, JSON.stringify({ text, tags }), { tags: names, order: at, withdraw });
  stopEditing();
}

function edit(item) {
  editing = item;
  const { text, tags } = read(item);
  $("text").value = text;
  $("tags").value = tags.map((name) => `#${name}`).join(" ");
  $("send").textContent = "Save";
  $("cancel").hidden = false;
  $("text").focus();
}

function stopEditing() {
  editing = undefined;
  $("write").reset();
  $("send").textContent = "Post";
  $("cancel").hidden = true;
}

function remove(item) {
  if (!confirm("Delete this post?")) return undefined;
  return space.del({ owner: "self", key: item.key }, { withdraw: marks(read(item).tags, item.order) });
}

// The page.

function say(text) {
  $("message").textContent = text;
}

function fail(error) {
  console.warn(error);
  const advice = { later: " It will be tried again.", elsewhere: " Another node may answer." }[error.retry] ?? "";
  say(`${error.message}.${advice}`);
}

/** Runs what a person has asked for, and shows what came of it. */
async function act(work) {
  try {
    say("");
    await work();
    await show();
  } catch (error) {
    fail(error);
  }
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function button(text, work) {
  return element("button", { type: "button", onclick: () => act(work) }, text);
}

function onSubmit(form, work) {
  $(form).onsubmit = (event) => {
    event.preventDefault();
    const pressed = event.submitter;
    if (pressed) pressed.disabled = true;
    act(work).finally(() => pressed && (pressed.disabled = false));
  };
}

onSubmit("write", send);
onSubmit("filter", () => filter($("tag").value));
$("join").onsubmit = (event) => {
  event.preventDefault();
  join($("invite").value);
};
$("cancel").onclick = stopEditing;
$("copy").onclick = () => navigator.clipboard?.writeText($("grant").textContent);
$("more").onclick = () => act(() => (wanted += PAGE));

// Keeps the files of the page, so that it opens without a network.
navigator.serviceWorker?.register("sw.js").catch(() => {});

const invite = location.hash.slice(1) || localStorage.getItem(KEPT);
if (invite) join(invite);
else $("join").hidden = false;
