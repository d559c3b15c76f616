// @sd-jwt/core (https://github.com/openwallet-foundation/sd-jwt-js) checks our
// referrals and consents, and makes some that we check.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { SDJwtInstance } from '@sd-jwt/core';
import { calculateJwkThumbprint } from 'jose';
import {
  accept, documents, flipped, flippedJws, newSalt, newSigner, refusesWith,
  toBytes, toText,
} from './peer.mjs';

class Documents extends SDJwtInstance {
  constructor(config, typ) {
    super(config);
    this.type = typ;
  }
}

const hasher = (data) => createHash('sha256').update(data).digest();

function reader(jwk) {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return new Documents({
    hasher, hashAlg: 'sha-256',
    verifier: (data, signature) =>
      verify(null, Buffer.from(data), key, toBytes(signature)),
  });
}

function writer(signer, typ) {
  return new Documents({
    hasher, hashAlg: 'sha-256', signAlg: 'EdDSA', saltGenerator: newSalt,
    signer: (data) => toText(sign(null, Buffer.from(data), signer.privateKey)),
  }, typ);
}

const serialize = (jwt, disclosures) => [jwt, ...disclosures, ''].join('~');
const contentOf = (disclosure) => JSON.parse(toBytes(disclosure).toString());
const claimsOf = async (text, jwk) => {
  const instance = reader(jwk);
  await instance.verify(text);
  return instance.getClaims(text);
};
const digestsIn = (jwt) =>
  JSON.parse(toBytes(jwt.split('.')[1]).toString());

test('@sd-jwt/core reads in our referral what was disclosed, each in its slot', async () => {
  const { serialized, jwk, values, slots, typ } = documents.referral;
  const claims = await claimsOf(serialized, jwk);
  assert.deepEqual(Object.keys(claims.sections), slots);
  for (const slot of slots)
    assert.deepEqual(claims.sections[slot],
                     slot in values ? { [slot]: values[slot] } : {}, slot);
  assert.deepEqual(Object.keys(values).sort(), ['identity', 'needs', 'risk']);
  assert.equal((await reader(jwk).verify(serialized)).header.typ, typ);
});

test('@sd-jwt/core reads nothing in our referral without disclosures', async () => {
  const { jwt, jwk } = documents.referral;
  const { sections } = await claimsOf(serialize(jwt, []), jwk);
  for (const slot of Object.values(sections)) assert.deepEqual(slot, {});
});

test('@sd-jwt/core finds that a section disclosed later fits the first document', async () => {
  const { jwt, jwk, disclosed, withheld } = documents.referral;
  const health = withheld.find((d) => contentOf(d)[1] === 'health');
  const { sections } = await claimsOf(serialize(jwt, [...disclosed, health]), jwk);
  assert.deepEqual(sections.health, { health: contentOf(health)[2] });
});

test('our referral has one digest a slot, and withheld looks absent', () => {
  const { jwt, slots } = documents.referral;
  const { sections, _sd_alg } = digestsIn(jwt);
  assert.equal(_sd_alg, 'sha-256');
  assert.deepEqual(Object.keys(sections), slots);
  const digests = Object.values(sections).map((slot) => {
    assert.deepEqual(Object.keys(slot), ['_sd']);
    assert.equal(slot._sd.length, 1);
    assert.match(slot._sd[0], /^[A-Za-z0-9_-]{43}$/);
    return slot._sd[0];
  });
  assert.equal(new Set(digests).size, slots.length);
});

for (const name of ['referral', 'consent']) {
  const { serialized, jwt, jwk, disclosed } = documents[name];

  test(`@sd-jwt/core refuses our ${name} with a byte of the signed part flipped`, async () => {
    for (const part of [1, 2])
      for (const at of [0, 20, 50])
        await assert.rejects(reader(jwk).verify(
          serialize(flippedJws(jwt, part, at), disclosed)));
  });

  test(`@sd-jwt/core refuses our ${name} under another key`, async () => {
    await assert.rejects(reader(newSigner().jwk).verify(serialized), /Signature/);
  });

  test(`an altered disclosure of our ${name} discloses nothing`, async () => {
    // The library leaves out what fits no digest; RFC 9901 section 7.1 and we
    // refuse the whole.
    const altered = flipped(disclosed[0], 4);
    const [, key, value] = contentOf(disclosed[0]);
    const claims = await claimsOf(serialize(jwt, [altered]), jwk);
    assert.ok(!JSON.stringify(claims).includes(JSON.stringify({ [key]: value }).slice(1, -1)));
    const kind = name === 'consent' ? 'grant' : name;
    assert.throws(
      () => accept(kind, { serialized: serialize(jwt, [altered]), x: jwk.x }),
      refusesWith('verification_failed'));
    assert.ok(accept(kind, { serialized, x: jwk.x }));
  });
}

test('@sd-jwt/core reads in our consent one provision, and cannot count the others', async () => {
  const { serialized, jwt, jwk, disclosed, withheld } = documents.consent;
  const { provisions } = await claimsOf(serialized, jwk);
  assert.equal(disclosed.length, 1);
  const [, name, content] = contentOf(disclosed[0]);
  assert.match(name, /^[a-z2-7]{26}$/);
  assert.deepEqual(provisions, { [name]: content });
  assert.equal(content.effect, 'permit');
  const digests = digestsIn(jwt).provisions._sd;
  assert.equal(digests.length, 8);
  assert.deepEqual(digests, [...digests].sort());
  // The issuer, or an auditor, has them all.
  const whole = await claimsOf(serialize(jwt, [...disclosed, ...withheld]), jwk);
  assert.equal(Object.keys(whole.provisions).length, 3);
});

// ---- what @sd-jwt/core issues

async function issueReferral({ values, frame, extra = {} }) {
  const signer = newSigner();
  const { jwt, slots, typ } = documents.referral;
  const { sections: ignored, _sd_alg, ...claims } = digestsIn(jwt);
  const payload = { ...claims, ...extra, sections: {} };
  const disclosureFrame = { sections: {} };
  for (const slot of slots) {
    payload.sections[slot] = slot in values ? { [slot]: values[slot] } : {};
    disclosureFrame.sections[slot] =
      slot in values ? { _sd: [slot] } : { _sd_decoy: 1 };
  }
  frame?.(payload, disclosureFrame);
  const header = { kid: await calculateJwkThumbprint(signer.jwk) };
  const serialized =
    await writer(signer, typ).issue(payload, disclosureFrame, { header });
  return { serialized, x: signer.jwk.x };
}

test('we accept a referral that @sd-jwt/core issued', async () => {
  const { values } = documents.referral;
  assert.deepEqual(accept('referral', await issueReferral({ values })).values, values);
});

test('we accept a presentation that @sd-jwt/core made of it', async () => {
  const { values } = documents.referral;
  const { serialized, x } = await issueReferral({ values });
  const shown = await reader({ kty: 'OKP', crv: 'Ed25519', x })
    .present(serialized, { sections: { risk: { risk: true } } });
  assert.deepEqual(accept('referral', { serialized: shown, x }).values,
                   { risk: values.risk });
});

test('we refuse a referral of @sd-jwt/core that breaks a rule of ours', async () => {
  const { values } = documents.referral;
  const moved = (payload, frame) => {
    payload.sections.health = { risk: values.risk };
    frame.sections.health = { _sd: ['risk'] };
  };
  const cases = {
    'a disclosure in a wrong slot': {
      values: { identity: values.identity }, frame: moved,
    },
    'a second version in another slot': { values, frame: moved },
    'two digests in a slot': {
      values, frame: (_, frame) => { frame.sections.health = { _sd_decoy: 2 }; },
    },
    'a slot in clear': {
      values, frame: (_, frame) => { delete frame.sections.needs; },
    },
    'a slot too few': {
      values,
      frame: (payload, frame) => {
        delete payload.sections.narrative;
        delete frame.sections.narrative;
      },
    },
    'a claim that is disclosed': {
      values, frame: (_, frame) => { frame._sd = ['priority']; },
    },
    'a digest within a disclosed section': {
      values, frame: (_, frame) => {
        frame.sections.risk = { _sd: ['risk'], risk: { _sd: ['level'] } };
      },
    },
    'an element of a list that is disclosed': {
      values, frame: (_, frame) => {
        frame.sections.needs = {
          _sd: ['needs'], needs: { services_requested: { _sd: [0] } },
        };
      },
    },
    'a holder key': { values, extra: { cnf: { jwk: newSigner().jwk } } },
    'a claim nobody knows': { values, extra: { remark: 'x' } },
  };
  for (const [name, made] of Object.entries(cases)) {
    const request = await issueReferral(made);
    assert.throws(() => accept('referral', request),
                  refusesWith('verification_failed'), name);
  }
});

test('we refuse a referral of @sd-jwt/core whose disclosures do not fit', async () => {
  const { values } = documents.referral;
  const { serialized, x } = await issueReferral({ values });
  const [jwt, ...disclosures] = serialized.split('~').slice(0, -1);
  const refused = (name, text) => assert.throws(
    () => accept('referral', { serialized: text, x }),
    refusesWith('verification_failed'), name);
  const foreign = (await issueReferral({ values })).serialized.split('~')[1];
  refused('of another document', serialize(jwt, [foreign]));
  refused('one twice', serialize(jwt, [disclosures[0], disclosures[0]]));
  refused('another spelling', serialize(jwt, [`${disclosures[0]}=`]));
  refused('a key-binding token', `${serialized}${jwt}`);
  refused('no end', serialized.slice(0, -1));
});

async function issueConsent(decoys, provisions) {
  const signer = newSigner();
  const { jwt, typ } = documents.consent;
  const { provisions: ignored, _sd_alg, ...claims } = digestsIn(jwt);
  const header = { kid: await calculateJwkThumbprint(signer.jwk) };
  const serialized = await writer(signer, typ).issue(
    { ...claims, provisions },
    { provisions: { _sd: Object.keys(provisions), _sd_decoy: decoys } }, { header });
  return { serialized, x: signer.jwk.x };
}

test('we accept a consent that @sd-jwt/core issued, padded with its decoys', async () => {
  const [, name, permit] = contentOf(documents.consent.disclosed[0]);
  const request = await issueConsent(7, { [name]: permit });
  assert.deepEqual(accept('grant', request).permits,
                   [['identity', 'risk', 'health', 'needs']]);
});

test('we refuse a consent of @sd-jwt/core that is not padded or named as ours', async () => {
  const [, name, permit] = contentOf(documents.consent.disclosed[0]);
  for (const request of [
    await issueConsent(0, { [name]: permit }),
    await issueConsent(6, { [name]: permit }),
    await issueConsent(7, { provision1: permit }),
  ])
    assert.throws(() => accept('grant', request),
                  refusesWith('verification_failed'));
});
