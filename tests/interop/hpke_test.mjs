// @hpke/core (https://github.com/dajiaji/hpke-js) opens our envelopes and seals
// for us; a recipient is written from the protocol's text alone.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, HkdfSha256 } from '@hpke/core';
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519';
import { accept, documents, refuses, toBytes, toText } from './peer.mjs';

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});
const { envelope } = documents;
// The library takes ArrayBuffers of their own.
const buffer = (bytes) => new Uint8Array(bytes).buffer;
const bytesOf = (field) => buffer(toBytes(envelope[field]));

async function open({ info = bytesOf('info'), enc = bytesOf('enc'),
                      ciphertext = bytesOf('ciphertext') } = {}) {
  const recipientKey =
    await suite.kem.importKey('raw', bytesOf('private_key'), false);
  return Buffer.from(await suite.open({ recipientKey, enc, info }, ciphertext));
}

const withBitFlipped = (field, at) => {
  const bytes = toBytes(envelope[field]);
  bytes[at] ^= 1;
  return { [field]: buffer(bytes) };
};

test('@hpke/core opens our envelope', async () => {
  assert.deepEqual(await open(), toBytes(envelope.plaintext));
});

test('@hpke/core refuses our envelope with a bit of any part flipped', async () => {
  for (const field of ['info', 'enc', 'ciphertext']) {
    const { length } = toBytes(envelope[field]);
    for (const at of [0, length >> 1, length - 1])
      await assert.rejects(open(withBitFlipped(field, at)), undefined, `${field} ${at}`);
  }
});

test('@hpke/core refuses our envelope for another recipient', async () => {
  const pair = await suite.kem.generateKeyPair();
  await assert.rejects(suite.open(
    { recipientKey: pair.privateKey, enc: bytesOf('enc'), info: bytesOf('info') },
    bytesOf('ciphertext')));
});

async function sealed(plaintext) {
  const recipientPublicKey =
    await suite.kem.deserializePublicKey(bytesOf('public_key'));
  const { ct, enc } = await suite.seal(
    { recipientPublicKey, info: bytesOf('info') }, buffer(plaintext));
  return {
    private_key: envelope.private_key, info: envelope.info,
    enc: toText(enc), ciphertext: toText(ct),
  };
}

test('we open what @hpke/core sealed', async () => {
  for (const plaintext of [toBytes(envelope.plaintext), Buffer.from('x'), Buffer.alloc(0)])
    assert.equal(accept('open', await sealed(plaintext)).plaintext, toText(plaintext));
});

test('we refuse what @hpke/core sealed and somebody altered', async () => {
  const request = await sealed(Buffer.from('a referral'));
  for (const field of ['info', 'enc', 'ciphertext', 'private_key']) {
    const bytes = toBytes(request[field]);
    bytes[bytes.length >> 1] ^= 4;
    assert.throws(() => accept('open', { ...request, [field]: toText(bytes) }),
                  refuses, field);
  }
});

// ---- the rest of an envelope

// H(label; fields): a label with its length in one byte, then the fields.
function labelled(label, ...fields) {
  const hash = createHash('sha256').update(Buffer.from([label.length])).update(label);
  for (const field of fields) hash.update(field);
  return hash.digest();
}

function variable(bytes) {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(bytes.length));
  return Buffer.concat([size, bytes]);
}

const digestOf = ({ header, enc, ciphertext }) => labelled(
  'amparo/v1/envelope', variable(header),
  labelled('amparo/v1/body', variable(enc), variable(ciphertext)));

test("Node's own Ed25519 verifies the outer signature, and only over these bytes", () => {
  const key = createPublicKey({ key: envelope.jwk, format: 'jwk' });
  const parts = Object.fromEntries(
    ['header', 'enc', 'ciphertext'].map((field) => [field, toBytes(envelope[field])]));
  const good = () => verify(
    null, Buffer.concat([Buffer.from('amparo/v1/envelope-sig\0'), digestOf(parts)]),
    key, toBytes(envelope.signature));
  assert.ok(good());
  for (const bytes of Object.values(parts)) {
    bytes[1] ^= 1;
    assert.ok(!good());
    bytes[1] ^= 1;
  }
  assert.ok(good());
});

test('the info of the seal is the label and the header', () => {
  assert.deepEqual(
    toBytes(envelope.info),
    Buffer.concat([Buffer.from('amparo/v1/seal\0'), toBytes(envelope.header)]));
});

// Reads a payload field by field, as docs/PROTOCOL.md lists them.
function readPayload(bytes) {
  let at = 0;
  const take = (size) => bytes.subarray(at, (at += size));
  const number = (size) => take(size).readUIntBE(0, size);
  const text = () => take(number(4)).toString();
  const list = (item) => Array.from({ length: number(2) }, item);
  const maybe = (item) => (number(1) === 1 ? item() : null);
  const payload = {
    version: number(1), caseId: maybe(() => take(16)), eventId: take(16),
    kind: text(), purpose: text(), firstContact: number(1), salt: take(32),
    salt2: take(32), document: text(), disclosures: list(text), grants: list(text),
    attachments: list(() => [text(), take(96)]), seen: [take(8), take(32)],
    hasOrigin: number(1),
  };
  assert.equal(at, bytes.length);
  return payload;
}

test('the plaintext is the payload and its padding, and the payload our documents', async () => {
  const padded = await open();
  const end = padded.lastIndexOf(0x80);
  assert.ok(padded.subarray(end + 1).every((byte) => byte === 0));
  assert.equal(end, envelope.payload_bytes);
  const payload = readPayload(padded.subarray(0, end));
  assert.equal(payload.version, 1);
  assert.equal(payload.kind, 'referral');
  assert.equal(payload.document, documents.referral.jwt);
  assert.deepEqual(payload.disclosures, documents.referral.disclosed);
  assert.deepEqual(payload.grants, [documents.consent.serialized]);
});

test('nothing of what is sealed shows in the envelope', () => {
  const outside = Buffer.concat(
    ['header', 'enc', 'ciphertext', 'signature'].map((f) => toBytes(envelope[f])));
  for (const text of ['EXEMPLO', documents.referral.jwt, 'identity', 'eyJ'])
    assert.ok(!outside.includes(text), text);
});
