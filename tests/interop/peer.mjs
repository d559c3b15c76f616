// Our own code, as a program: what it makes, and whether it takes what somebody
// else made.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';

const program = process.env.AMPARO_INTEROP_PEER;
if (!program) throw new Error('set AMPARO_INTEROP_PEER to the built program');

// Our code said no; `code` is that of error/1.
export class Refusal extends Error {
  constructor(error) {
    super(error.message);
    this.code = error.code;
  }
}

function run(args, input) {
  const result = spawnSync(program, args, {
    input, encoding: 'utf8', maxBuffer: 64 << 20,
  });
  if (result.error) throw result.error;
  if (result.status === 0) return JSON.parse(result.stdout);
  // Anything but error/1 is a crash, and no refusal.
  const error = JSON.parse(result.stderr.trim().split('\n').pop());
  if (error.schema !== 'error/1' || error.code === 'internal')
    throw new Error(`the peer failed: ${result.stderr}`);
  throw new Refusal(error);
}

export const documents = run(['documents']);
export const accept = (kind, request) =>
  run(['accept', kind], JSON.stringify(request));

export const refuses = (error) => error instanceof Refusal;
export const refusesWith = (code) => (error) =>
  refuses(error) && error.code === code;

export const toBytes = (base64url) => Buffer.from(base64url, 'base64url');
export const toText = (bytes) => Buffer.from(bytes).toString('base64url');

// A fresh Ed25519 pair that Node made.
export function newSigner() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, jwk: publicKey.export({ format: 'jwk' }) };
}

export const newSalt = () => toText(randomBytes(32));

// `text` with one bit of the byte at `index` of its base64url content flipped.
export function flipped(text, index) {
  const bytes = toBytes(text);
  bytes[index] ^= 1;
  return toText(bytes);
}

// The same in part `part` (0 header, 1 payload, 2 signature) of a compact JWS.
export function flippedJws(token, part, index) {
  const parts = token.split('.');
  parts[part] = flipped(parts[part], index);
  return parts.join('.');
}
