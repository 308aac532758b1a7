// Makes circomlibjs.json: what other people's Poseidon and EdDSA-Poseidon answer. See README.md.
//
// Prints to stdout. Everything is derived from SEED, so the output is the same every time.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { buildEddsa, buildPoseidon } from "circomlibjs";

const SEED = "rootfold vectors v1";
const require = createRequire(import.meta.url);
// Its ES module does not load in node 20 (a named import from a CommonJS package).
const zkkit = require("@zk-kit/eddsa-poseidon");
const version = (name) => {
  // Not every package exports its package.json.
  const entry = require.resolve(name);
  const at = entry.lastIndexOf(`node_modules/${name}/`);
  return require(`${entry.slice(0, at)}node_modules/${name}/package.json`).version;
};

const P = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const L = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;

// PRNG: SHA-256 of seed and a counter.
let counter = 0;
const bytes32 = () => createHash("sha256").update(`${SEED} ${counter++}`).digest();
const integer = () => BigInt("0x" + bytes32().toString("hex") + bytes32().toString("hex"));
const element = () => integer() % P;

const eddsa = await buildEddsa();
const poseidon = await buildPoseidon();
const { babyJub } = eddsa;
const js = babyJub.F;
const dec = (x) => js.toObject(x).toString();
const point = (p) => [dec(p[0]), dec(p[1])];
const fail = (what) => {
  throw new Error(what);
};

// Poseidon, tag 0.
const hashes = [];
for (let n = 1; n <= 15; n++) {
  const lists = [Array(n).fill(0n), Array(n).fill(P - 1n)];
  for (let k = 0; k < 4; k++) lists.push(Array.from({ length: n }, element));
  for (const inputs of lists) {
    const hash = dec(poseidon(inputs.map((x) => js.e(x))));
    hashes.push({ inputs: inputs.map(String), hash });
  }
}

// EdDSA: good signatures, made by both packages alike.
const challenge = (R8, A, m) => js.toObject(poseidon([R8[0], R8[1], A[0], A[1], m]));
const signatures = [];
const verdicts = [];
const verdict = (why, A, message, R8, S) => {
  const circomlibjs = eddsa.verifyPoseidon(js.e(message), { R8, S }, A);
  verdicts.push({
    why,
    public_key: point(A),
    message: message.toString(),
    r8: point(R8),
    s: S.toString(),
    circomlibjs,
  });
};
const messages = [0n, 1n, P - 1n];
for (let k = 0; k < 12; k++) {
  const secret = bytes32();
  const message = messages[k] ?? element();
  const A = eddsa.prv2pub(secret);
  const { R8, S } = eddsa.signPoseidon(secret, js.e(message));
  const zkA = zkkit.derivePublicKey(secret);
  const zk = zkkit.signMessage(secret, message);
  if (zkA[0] !== js.toObject(A[0]) || zkA[1] !== js.toObject(A[1])) fail("zk-kit: other key");
  if (zk.S !== S || zk.R8[0] !== js.toObject(R8[0])) fail("zk-kit: other signature");
  if (!zkkit.verifySignature(message, zk, zkA)) fail("zk-kit: refuses");
  signatures.push({
    secret_key: secret.toString("hex"),
    public_key: point(A),
    message: message.toString(),
    r8: point(R8),
    s: S.toString(),
  });
  verdict("good", A, message, R8, S);
}

// EdDSA: what each change does to the verdict.
const torsion = babyJub.mulPointEscalar(babyJub.Generator, L); // of order 8
const small = Array.from({ length: 8 }, (_, k) => babyJub.mulPointEscalar(torsion, BigInt(k)));
for (let k = 0; k < 2; k++) {
  const secret = bytes32();
  const message = element();
  const A = eddsa.prv2pub(secret);
  const other = eddsa.prv2pub(bytes32());
  const { R8, S } = eddsa.signPoseidon(secret, js.e(message));
  verdict("another message", A, (message + 1n) % P, R8, S);
  verdict("another key", other, message, R8, S);
  verdict("S + 1", A, message, R8, (S + 1n) % L);
  verdict("S = 0", A, message, R8, 0n);
  verdict("S + order", A, message, R8, S + L);
  verdict("-R8", A, message, [js.neg(R8[0]), R8[1]], S);
  verdict("R8 off the curve", A, message, [R8[0], js.add(R8[1], js.one)], S);
  verdict("key off the curve", [A[0], js.add(A[1], js.one)], message, R8, S);
  for (const T of small.slice(1)) {
    verdict("R8 plus a point of small order", A, message, babyJub.addPoint(R8, T), S);
    verdict("key plus a point of small order", babyJub.addPoint(A, T), message, R8, S);
  }
}

// A key that is not in the subgroup can sign all the same: 8 * A is in it.
{
  const a = integer() % L;
  const r = integer() % L;
  const message = element();
  const A = babyJub.addPoint(babyJub.mulPointEscalar(babyJub.Base8, a), torsion);
  const R8 = babyJub.mulPointEscalar(babyJub.Base8, r);
  const S = (r + 8n * challenge(R8, A, js.e(message)) * a) % L;
  verdict("good, key outside the subgroup", A, message, R8, S);
}

// circomlibjs accepts (r B8, r) for every message under a key of small order. circomlib's circuit
// and we do not.
for (const A of small) {
  const r = integer() % L;
  const R8 = babyJub.mulPointEscalar(babyJub.Base8, r);
  verdict("key of small order", A, element(), R8, r);
}

const document = {
  made_by: "node core/vectors/make_vectors.mjs",
  seed: SEED,
  versions: {
    circomlibjs: version("circomlibjs"),
    "@zk-kit/eddsa-poseidon": version("@zk-kit/eddsa-poseidon"),
  },
  base8: point(babyJub.Base8),
  small_order: small.map(point),
  hashes,
  signatures,
  verdicts,
};
process.stdout.write(JSON.stringify(document, null, 1) + "\n", () => process.exit(0));
