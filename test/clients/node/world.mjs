// What the server that is under test handed over, and what its applications
// authenticate with. Started by node_test.go.
import { createPrivateKey, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

globalThis.crypto ??= webcrypto; // before Node 20 they are not global
globalThis.CryptoKey ??= webcrypto.CryptoKey;

export const env = process.env;
export const issuer = new URL(env.WATTGATE_AUTH_URL);
export const partner = { id: env.PARTNER_CLIENT_ID, secret: env.PARTNER_CLIENT_SECRET };

const kinds = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  Ed25519: { name: "Ed25519" }, // what RFC 8037 calls EdDSA (RFC 9864)
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};
export const algorithms = Object.keys(kinds);

async function key(algorithm) {
  const jwk = createPrivateKey(readFileSync(`${env.KEY_DIR}/${algorithm}.pem`)).export({ format: "jwk" });
  return { key: await crypto.subtle.importKey("jwk", jwk, kinds[algorithm], false, ["sign"]), kid: algorithm };
}

// keyed is the application that has one key and no secret, fapi another one with
// that key in FAPI mode, and a third one has a key of each algorithm.
export const keyed = { id: env.KEYED_CLIENT_ID, key: await key("ES256") };
export const fapi = { id: env.FAPI_CLIENT_ID, key: keyed.key };
export const allKeys = { id: env.ALL_KEYS_CLIENT_ID, key };

export const exchange = {
  grant: "urn:ietf:params:oauth:grant-type:token-exchange",
  parameters: (actor) => ({
    subject_token: env.CUSTOMER_USER_ID,
    subject_token_type: "urn:wattgate:params:oauth:token-type:user-id",
    actor_token: actor,
    actor_token_type: "urn:ietf:params:oauth:token-type:access_token",
  }),
};

export const property = JSON.stringify({ query: `{ property(id: "${env.PROPERTY_ID}") { id } }` });
export const json = () => new Headers({ "content-type": "application/json" });
