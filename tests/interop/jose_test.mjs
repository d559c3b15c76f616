// jose (https://github.com/panva/jose) checks our JWS documents, and makes some
// that we check: key events, receipts, charters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as jose from 'jose';
import {
  accept, documents, flipped, flippedJws, newSigner, refuses, refusesWith, toBytes,
  toText,
} from './peer.mjs';

const keyOf = (jwk) => jose.importJWK(jwk, 'EdDSA');
const isBadSignature = { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' };
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
const encode = (json) => new TextEncoder().encode(JSON.stringify(json));

const sizeOf = (token, part) => toBytes(token.split('.')[part]).length;

// What an implementation of the protocol would put into its headers.
async function headerFor(jwk, typ) {
  return { alg: 'EdDSA', typ, kid: await jose.calculateJwkThumbprint(jwk) };
}

async function compact(payload, typ, signer, header = {}) {
  return new jose.CompactSign(encode(payload))
    .setProtectedHeader({ ...await headerFor(signer.jwk, typ), ...header })
    .sign(signer.privateKey);
}

for (const name of ['key_event', 'receipt']) {
  const { token, typ, jwk, payload } = documents[name];

  test(`jose verifies our ${name}`, async () => {
    const verified = await jose.compactVerify(token, await keyOf(jwk));
    assert.deepEqual(decode(verified.payload), payload);
    assert.deepEqual(verified.protectedHeader, await headerFor(jwk, typ));
  });

  test(`jose refuses our ${name} with any byte flipped`, async () => {
    const key = await keyOf(jwk);
    for (const part of [1, 2])
      for (let at = 0; at < sizeOf(token, part); at += 13)
        await assert.rejects(
          jose.compactVerify(flippedJws(token, part, at), key), isBadSignature);
    // In the header a flip may break the JSON or the algorithm first.
    for (let at = 0; at < sizeOf(token, 0); at += 13)
      await assert.rejects(jose.compactVerify(flippedJws(token, 0, at), key));
  });

  test(`jose refuses our ${name} under another key`, async () => {
    await assert.rejects(
      jose.compactVerify(token, await keyOf(newSigner().jwk)), isBadSignature);
  });

  test(`we read what jose signs as a ${name}`, async () => {
    const signer = newSigner();
    const made = await compact(payload, typ, signer);
    assert.deepEqual(accept('jws', { token: made, typ, x: signer.jwk.x }), payload);
    assert.ok(accept(name, { token: made, x: signer.jwk.x }));
  });

  test(`we refuse what jose signs as a ${name} and somebody alters`, async () => {
    const signer = newSigner();
    const made = await compact(payload, typ, signer);
    for (const part of [1, 2])
      assert.throws(
        () => accept(name, { token: flippedJws(made, part, 5), x: signer.jwk.x }),
        refusesWith('verification_failed'));
  });
}

test('jose reads our receipt as a security event token (RFC 8417)', async () => {
  const { token, jwk } = documents.receipt;
  const { payload } = await jose.jwtVerify(token, await keyOf(jwk), {
    typ: 'secevent+jwt', issuer: 'uls', audience: 'ong', algorithms: ['EdDSA'],
    requiredClaims: ['iat', 'jti', 'events'],
  });
  assert.equal(Object.keys(payload.events).length, 1);
});

test('we refuse what jose may sign but the protocol does not allow', async () => {
  const signer = newSigner();
  const { typ, payload } = documents.receipt;
  const refused = async (header) => {
    const token = await compact(payload, typ, signer, header);
    assert.throws(() => accept('receipt', { token, x: signer.jwk.x }),
                  refusesWith('verification_failed'), JSON.stringify(header));
  };
  await refused({ typ: 'JWT' });
  await refused({ kid: 'ong-1' });
  await refused({ kid: undefined });
  await refused({ jwk: signer.jwk });
  await refused({ cty: 'json' });
  const stranger = newSigner();
  await refused({ kid: await jose.calculateJwkThumbprint(stranger.jwk) });
});

test('we refuse a token without a signature', () => {
  const { token, typ, jwk } = documents.receipt;
  const [, payload] = token.split('.');
  for (const alg of ['none', 'None', 'HS256']) {
    const header = toText(JSON.stringify({ alg, typ, kid: jwk.kid }));
    assert.throws(() => accept('receipt', { token: `${header}.${payload}.`, x: jwk.x }),
                  refusesWith('verification_failed'), alg);
  }
});

test('jose verifies every signature on our charter', async () => {
  const { document, typ, keys, signers } = documents.charter;
  const jws = JSON.parse(document);
  assert.equal(jws.signatures.length, signers);
  const seen = new Set();
  for (const jwk of keys.slice(0, signers)) {
    // A key is tried on all signatures: the kid tells which one it made.
    const verified = await jose.generalVerify(jws, await keyOf(jwk));
    assert.deepEqual(verified.protectedHeader, await headerFor(jwk, typ));
    assert.equal(decode(verified.payload).network, 'pt-exemplo');
    seen.add(verified.protectedHeader.kid);
  }
  assert.equal(seen.size, signers);
  for (const jwk of keys.slice(signers))
    await assert.rejects(jose.generalVerify(jws, await keyOf(jwk)), isBadSignature);
});

test('jose refuses our charter with a byte flipped', async () => {
  const { document, keys } = documents.charter;
  const key = await keyOf(keys[0]);
  const payload = JSON.parse(document);
  payload.payload = flipped(payload.payload, 100);
  await assert.rejects(jose.generalVerify(payload, key), isBadSignature);
  const signature = JSON.parse(document);
  signature.signatures[0].signature = flipped(signature.signatures[0].signature, 3);
  await assert.rejects(jose.generalVerify(signature, key), isBadSignature);
});

// Our charter's content under three keys of jose's own, signed by `by`.
async function foundedWithJose(by) {
  const signers = [newSigner(), newSigner(), newSigner()];
  const { typ, document } = documents.charter;
  const payload = decode(toBytes(JSON.parse(document).payload));
  payload.governance.keys.forEach((entry, i) => {
    entry.key = `ed25519:${signers[i].jwk.x}`;
  });
  const sign = new jose.GeneralSign(encode(payload));
  for (const i of by)
    sign.addSignature(signers[i].privateKey)
      .setProtectedHeader(await headerFor(signers[i].jwk, typ));
  return sign.sign();
}

test('we accept a charter that jose signed with enough keys', async () => {
  const document = JSON.stringify(await foundedWithJose([0, 2]));
  assert.deepEqual(accept('charter', { document }),
                   { network: 'pt-exemplo', members: 3 });
});

test('we refuse a charter that jose signed with too few keys', async () => {
  const refused = (jws) => assert.throws(
    () => accept('charter', { document: JSON.stringify(jws) }), refuses);
  refused(await foundedWithJose([1]));
  const twice = await foundedWithJose([1]);
  twice.signatures.push(twice.signatures[0]);
  refused(twice);
  const altered = await foundedWithJose([0, 1]);
  altered.signatures[1].signature = flipped(altered.signatures[1].signature, 0);
  refused(altered);
});
