import assert from "node:assert/strict";
import { test } from "node:test";

import { env, exchange, fapi, issuer, json, keyed, partner, property } from "./world.mjs";

const client = await import("openid-client");
const options = { execute: [client.allowInsecureRequests] }; // loopback has no TLS
const graphql = new URL(env.WATTGATE_GRAPHQL_URL);

const methods = {
  "by itself": () => client.discovery(issuer, partner.id, partner.secret, undefined, options),
  client_secret_basic: () => client.discovery(issuer, partner.id, undefined, client.ClientSecretBasic(partner.secret), options),
  client_secret_post: () => client.discovery(issuer, partner.id, undefined, client.ClientSecretPost(partner.secret), options),
  private_key_jwt: () => client.discovery(issuer, keyed.id, undefined, client.PrivateKeyJwt(keyed.key), options),
  "discovery by RFC 8414": () => client.discovery(issuer, partner.id, partner.secret, undefined, { ...options, algorithm: "oauth2" }),
};

for (const [name, discover] of Object.entries(methods)) {
  test(`${name}: a token, introspection, revocation`, async () => {
    const config = await discover();
    const token = await client.clientCredentialsGrant(config, { scope: "query:property", audience: "customer" });
    assert.equal(token.scope, "query:property");
    assert.ok(token.expiresIn() > 60);
    const answer = await client.fetchProtectedResource(config, token.access_token, graphql, "POST", property, json());
    assert.equal((await answer.json()).data.property.id, env.PROPERTY_ID);
    assert.equal((await client.tokenIntrospection(config, token.access_token)).active, true);
    await client.tokenRevocation(config, token.access_token);
    assert.deepEqual(await client.tokenIntrospection(config, token.access_token), { active: false });
  });
}

test("token exchange", async () => {
  const config = await methods["by itself"]();
  const own = await client.clientCredentialsGrant(config);
  const token = await client.genericGrantRequest(config, exchange.grant, exchange.parameters(own.access_token));
  const me = JSON.stringify({ query: "{ me { firstName } }" });
  const answer = await client.fetchProtectedResource(config, token.access_token, graphql, "POST", me, json());
  assert.equal((await answer.json()).data.me.firstName, "Anna");
});

test("DPoP, with the server's nonce", async () => {
  const config = await methods["by itself"]();
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  const token = await client.clientCredentialsGrant(config, {}, { DPoP });
  assert.equal(token.token_type, "dpop");
  const answer = await client.fetchProtectedResource(config, token.access_token, graphql, "POST", property, json(), { DPoP });
  assert.equal((await answer.json()).data.property.id, env.PROPERTY_ID);
  await assert.rejects(client.fetchProtectedResource(config, token.access_token, graphql, "POST", property, json()));
});

test("FAPI 2.0: a key, and a token that is bound", async () => {
  const config = await client.discovery(issuer, fapi.id, undefined, client.PrivateKeyJwt(fapi.key), options);
  await assert.rejects(client.clientCredentialsGrant(config), (err) => err.error === "invalid_dpop_proof" || err.error === "invalid_request");
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
  const token = await client.clientCredentialsGrant(config, {}, { DPoP });
  assert.equal(token.token_type, "dpop");
  assert.ok(token.expires_in <= 600);
});

test("a pushed authorization request", async () => {
  const config = await client.discovery(issuer, env.WEB_CLIENT_ID, env.WEB_CLIENT_SECRET, undefined, options);
  const code_challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier());
  const to = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: env.WEB_REDIRECT_URI, scope: "openid", code_challenge, code_challenge_method: "S256", state: client.randomState(),
  });
  assert.ok(to.searchParams.get("request_uri").startsWith("urn:ietf:params:oauth:request_uri:")); // RFC 9126 §2.2
  const answer = await fetch(to, { redirect: "manual" });
  assert.equal(answer.status, 303);
  assert.ok(new URL(answer.headers.get("location"), to).pathname.startsWith("/login"));
});

// The refresh token came from the browser's flow, which code_test.go drives.
test("refresh, and the old refresh token after it", async () => {
  const config = await client.discovery(issuer, env.WEB_CLIENT_ID, env.WEB_CLIENT_SECRET, undefined, options);
  const token = await client.refreshTokenGrant(config, env.REFRESH_TOKEN);
  assert.ok(token.refresh_token && token.refresh_token !== env.REFRESH_TOKEN);
  await assert.rejects(client.refreshTokenGrant(config, env.REFRESH_TOKEN), (err) => err.error === "invalid_grant");
  await assert.rejects(client.refreshTokenGrant(config, token.refresh_token), (err) => err.error === "invalid_grant"); // RFC 9700 §2.2.2: the family is ended
});
