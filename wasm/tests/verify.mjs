// The module in target/wasm/pkg checks what an honest node sent, and refuses anything else. The bytes
// are seeds of the fuzz targets; `scripts/wasm.sh` builds the module and runs this file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const pkg = process.env.ROOTFOLD_WASM_PKG;
const module = readFileSync(join(pkg, "rootfold_wasm_bg.wasm"));
const { initSync, Verifier } = await import(pathToFileURL(join(pkg, "rootfold_wasm.js")));
initSync({ module });

const corpus = new URL("../../fuzz/corpus/", import.meta.url);
const seed = (name) => readFileSync(new URL(name, corpus));
const invite = seed("invite/honest").toString();
const verifyingKey = seed("verifying_key/honest");

// A snapshot file: 8 magic bytes, 112 of the header, the proof's length, the proof.
const HEADER = 120;
function snapshot(proof = seed("proof/honest"), header = seed("snapshot_file/honest").subarray(0, HEADER)) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(proof.length);
    return Buffer.concat([header, length, proof]);
}

const flipped = (bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return copy;
};

const milliseconds = (run) => {
    const start = performance.now();
    const result = run();
    return [performance.now() - start, result];
};

const [preparation, verifier] = milliseconds(() => new Verifier(invite, verifyingKey));
const accepted = verifier.snapshot(snapshot());

test("size and speed", (t) => {
    const times = Array.from({ length: 5 }, () => milliseconds(() => verifier.snapshot(snapshot()))[0]);
    const kib = (bytes) => `${Math.ceil(bytes.length / 1024)} KiB`;
    t.diagnostic(`module: ${kib(module)}, gzip ${kib(gzipSync(module, { level: 9 }))}`);
    t.diagnostic(`preparation of the verifying key: ${preparation.toFixed(0)} ms`);
    t.diagnostic(`one proof: ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`);
});

test("an honest snapshot is accepted and says what it proves", () => {
    const header = seed("snapshot_header/honest");
    assert.equal(accepted.root, header.subarray(64, 96).toString("hex"));
    assert.equal(accepted.ops, header.readBigUInt64BE(96));
    assert.equal(accepted.steps, header.readBigUInt64BE(104));
});

test("genesis needs no proof", () => {
    assert.equal(verifier.snapshot(seed("snapshot_file/honest-genesis")).ops, 0n);
});

test("an altered proof is refused", () => {
    const proof = seed("proof/honest");
    for (const at of [0, 40, 1000, proof.length >> 1, proof.length - 1]) {
        assert.throws(() => verifier.snapshot(snapshot(flipped(proof, at))), Error, `byte ${at}`);
    }
    assert.throws(() => verifier.snapshot(snapshot(proof.subarray(0, -1))), Error);
    assert.throws(() => verifier.snapshot(snapshot(Buffer.concat([proof, Buffer.of(0)]))), Error);
});

test("an altered claim is refused", () => {
    const header = seed("snapshot_file/honest").subarray(0, HEADER);
    // One bit of magic, space, parameters, root, ops and steps.
    for (const at of [7, 39, 71, 103, 111, 119]) {
        assert.throws(() => verifier.snapshot(snapshot(undefined, flipped(header, at))), Error, `byte ${at}`);
    }
});

test("hostile snapshots are refused, also with the honest proof", () => {
    assert.throws(() => verifier.snapshot(seed("snapshot_file/hostile-proof-of-all")), Error);
    for (const name of ["a-root-without-steps", "another-root", "one-op-more"]) {
        const file = seed(`snapshot_file/hostile-${name}`);
        assert.throws(() => verifier.snapshot(snapshot(undefined, file.subarray(0, HEADER))), Error, name);
    }
});

test("another verifying key, or another invite, is refused", () => {
    for (const at of [0, 100, verifyingKey.length - 1]) {
        assert.throws(() => new Verifier(invite, flipped(verifyingKey, at)), Error, `byte ${at}`);
    }
    const other = invite.trim().replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    assert.throws(() => new Verifier(other, verifyingKey), /parameters/);
    assert.throws(() => new Verifier("rootfold1:", verifyingKey), /rootfold1:/);
});

test("an answer to a range query is checked under the snapshot's root", () => {
    const response = seed("range_response/honest");
    const answer = accepted.range(undefined, undefined, response);
    assert.ok(answer.entries.length > 0);
    assert.equal(answer.next, undefined);
    for (const name of ["a-page-less", "an-entry-changed", "an-entry-left-out", "no-pages"]) {
        const lie = seed(`range_response/hostile-${name}`);
        assert.throws(() => accepted.range(undefined, undefined, lie), Error, name);
    }
    const genesis = verifier.snapshot(seed("snapshot_file/honest-genesis"));
    assert.throws(() => genesis.range(undefined, undefined, response), /answer under root/);
    assert.throws(() => accepted.range(Buffer.alloc(92), undefined, response), Error);
});

test("an answer that ends early is never taken for a complete one", () => {
    // It ends among the log heads, before all application keys.
    const heads = accepted.range(undefined, undefined, seed("range_response/honest-first-three"));
    assert.deepEqual([heads.entries, heads.next], [[], new Uint8Array()]);
    // Field 4 of `rootfold.v1.RangeResponse`: the token of the next page, which has its version, the root and the
    // next key of 93 bytes.
    const root = Buffer.from(accepted.root, "hex");
    // The answer for the shared keys before 0xffff. It has all of them before 0xff, too.
    const to = Buffer.of(0xff, 0xff);
    const whole = seed("range_response/hostile-of-another-range");
    assert.equal(accepted.range(undefined, to, whole).next, undefined);
    const endingAt = (key) => Buffer.concat([whole, Buffer.of(0x22, 126, 1), root, key]);
    const key = Buffer.alloc(93);
    key.set([1, 0xff]);
    key[92] = 1;
    assert.deepEqual(accepted.range(undefined, to, endingAt(key)).next, Uint8Array.of(0xff));
    // A shared key that is not an application's, and a key beyond the range.
    assert.throws(() => accepted.range(undefined, to, endingAt(flipped(key, 91))), /next key/);
    assert.throws(() => accepted.range(undefined, to, endingAt(Buffer.alloc(93, 0xfe))), Error);
});
