import assert from "node:assert/strict";
import { test } from "node:test";

import { algorithms, allKeys, env, exchange, issuer, json, keyed, partner, property } from "./world.mjs";

const oauth = await import("oauth4webapi");
const insecure = { [oauth.allowInsecureRequests]: true }; // loopback has no TLS

async function discover(algorithm = "oauth2") {
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}

async function credentials(as, client, auth, parameters = {}, options = {}) {
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, new URLSearchParams(parameters), { ...insecure, ...options });
  return oauth.processClientCredentialsResponse(as, client, response);
}

const client = { client_id: partner.id };
const methods = {
  client_secret_basic: [client, oauth.ClientSecretBasic(partner.secret)],
  client_secret_post: [client, oauth.ClientSecretPost(partner.secret)],
  private_key_jwt: [{ client_id: keyed.id }, oauth.PrivateKeyJwt(keyed.key)],
};

for (const algorithm of ["oauth2", "oidc"]) {
  test(`discovery as ${algorithm}`, async () => {
    const as = await discover(algorithm);
    assert.equal(as.issuer, env.WATTGATE_AUTH_URL);
    for (const method of Object.keys(methods)) assert.ok(as.token_endpoint_auth_methods_supported.includes(method));
  });
}

for (const [name, [client, auth]] of Object.entries(methods)) {
  test(`${name}: a token, what it says, introspection, revocation`, async () => {
    const as = await discover();
    const token = await credentials(as, client, auth, { scope: "query:property" });
    assert.equal(token.token_type, "bearer");
    assert.equal(token.scope, "query:property");

    const request = new Request(env.WATTGATE_GRAPHQL_URL, { headers: { authorization: `Bearer ${token.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, "customer", insecure); // RFC 9068 §4
    assert.equal(claims.client_id, client.client_id);

    const answer = await oauth.protectedResourceRequest(token.access_token, "POST", new URL(env.WATTGATE_GRAPHQL_URL), json(), property, insecure);
    assert.equal((await answer.json()).data.property.id, env.PROPERTY_ID);

    const introspect = async () =>
      oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token.access_token, insecure));
    assert.equal((await introspect()).jti, claims.jti);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token.access_token, insecure));
    assert.deepEqual(await introspect(), { active: false });
  });
}

for (const algorithm of algorithms) {
  test(`private_key_jwt with ${algorithm}`, async () => {
    const as = await discover();
    assert.ok(as.token_endpoint_auth_signing_alg_values_supported.includes(algorithm));
    const client = { client_id: allKeys.id };
    assert.ok((await credentials(as, client, oauth.PrivateKeyJwt(await allKeys.key(algorithm)))).access_token);
  });
}

test("a wrong secret", async () => {
  for (const auth of [oauth.ClientSecretBasic(`${partner.secret}x`), oauth.ClientSecretPost(`${partner.secret}x`)]) {
    await assert.rejects(credentials(await discover(), client, auth), (err) => {
      // RFC 6749 §5.2: the challenge of the 401 comes first to this client
      assert.equal(err.status, 401);
      return true;
    });
  }
});

test("token exchange", async () => {
  const as = await discover();
  const [client, auth] = methods.client_secret_basic;
  const own = await credentials(as, client, auth);
  const response = await oauth.genericTokenEndpointRequest(as, client, auth, exchange.grant, exchange.parameters(own.access_token), insecure);
  const token = await oauth.processGenericTokenEndpointResponse(as, client, response);
  assert.equal(token.issued_token_type, "urn:ietf:params:oauth:token-type:access_token");
  const me = JSON.stringify({ query: "{ me { firstName } }" });
  const answer = await oauth.protectedResourceRequest(token.access_token, "POST", new URL(env.WATTGATE_GRAPHQL_URL), json(), me, insecure);
  assert.equal((await answer.json()).data.me.firstName, "Anna");
});

// The refresh token came from the browser's flow, which code_test.go drives.
test("refresh, and the old refresh token after it", async () => {
  const as = await discover();
  const web = { client_id: env.WEB_CLIENT_ID };
  const auth = oauth.ClientSecretBasic(env.WEB_CLIENT_SECRET);
  const refresh = async (used) =>
    oauth.processRefreshTokenResponse(as, web, await oauth.refreshTokenGrantRequest(as, web, auth, used, insecure));
  const token = await refresh(env.REFRESH_TOKEN);
  assert.ok(token.refresh_token && token.refresh_token !== env.REFRESH_TOKEN);
  for (const used of [env.REFRESH_TOKEN, token.refresh_token]) // the second falls with the first
    await assert.rejects(refresh(used), (err) => err.error === "invalid_grant");
});

test("introspection as a JWT", async () => {
  const as = await discover();
  const [, auth] = methods.client_secret_basic;
  const signed = { ...client, introspection_signed_response_alg: env.TOKEN_ALG }; // RFC 9701 §6
  const token = await credentials(as, signed, auth);
  const response = await oauth.introspectionRequest(as, signed, auth, token.access_token, insecure);
  assert.equal(response.headers.get("content-type"), "application/token-introspection+jwt");
  const said = await oauth.processIntrospectionResponse(as, signed, response);
  assert.equal(said.client_id, partner.id);
  await oauth.validateApplicationLevelSignature(as, response, insecure);
});

test("a protected resource that says who gives out tokens for it", async () => {
  const resource = new URL(env.WATTGATE_CUSTOMER_URL); // RFC 9728 §3
  const said = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, insecure));
  assert.deepEqual(said.authorization_servers, [env.WATTGATE_AUTH_URL]);
});

for (const algorithm of algorithms) {
  test(`DPoP with ${algorithm} and the server's nonce, at the token endpoint and the API`, async () => {
    const as = await discover();
    assert.ok(as.dpop_signing_alg_values_supported.includes(algorithm));
    const [, auth] = methods.client_secret_basic;
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(algorithm));
    const again = async (ask) => ask().catch((err) => (oauth.isDPoPNonceError(err) ? ask() : Promise.reject(err))); // RFC 9449 §8
    const token = await again(() => credentials(as, client, auth, {}, { DPoP }));
    assert.equal(token.token_type, "dpop");
    const ask = (DPoP) =>
      oauth.protectedResourceRequest(token.access_token, "POST", new URL(env.WATTGATE_GRAPHQL_URL), json(), property, { DPoP, ...insecure });
    const answer = await again(() => ask(DPoP));
    assert.equal((await answer.json()).data.property.id, env.PROPERTY_ID);

    const stranger = oauth.DPoP(client, await oauth.generateKeyPair(algorithm));
    await assert.rejects(again(() => ask(stranger)), (err) => err.status === 401);
  });
}
