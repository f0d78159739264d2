// npm's graphql-ws follows the corrections of a supply point. Started by
// graphql_test.go.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { ago, env, send, thirdPartyToken } from "./graphql.mjs";

const subscription = `subscription News($property: ID!, $after: String) {
  measurementsChanged(propertyId: $property, after: $after) {
    changes { identifier direction register day revision recordedAt }
    cursor
    hasNextPage
  }
}`;

function connect(authorization, options = { retryAttempts: 0 }) {
  return createClient({
    url: env.WATTGATE_GRAPHQL_URL.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ Authorization: await authorization() }),
    ...options,
  });
}

const bearer = async () => `Bearer ${await thirdPartyToken()}`;

async function next(events) {
  const { value, done } = await events.next();
  assert.equal(done, false);
  assert.equal(value.errors, undefined);
  return value.data.measurementsChanged;
}

test("corrections come as they are made, and after a break those that were made meanwhile", async () => {
  const identifier = env.SUPPLY_POINT_ID.split(":")[1];
  const expected = (day, revision) => ({ identifier, direction: "CONSUMPTION", register: "1.8.0", day, revision });
  const [day, later] = [ago(20), ago(10)];
  const said = ({ changes }) => changes.map(({ recordedAt, ...change }) => (assert.ok(Date.parse(recordedAt)), change));

  const client = connect(bearer);
  // Where it begins is told by the changes so far, so that nothing is missed
  // between the subscription and the first correction.
  let cursor = await end();
  let events = client.iterate({ query: subscription, variables: { property: env.PROPERTY_ID, after: cursor } });
  for (const [value, revision] of [["5.001", 2], ["5.002", 3]]) {
    await send(day, value);
    const news = await next(events);
    assert.deepEqual(said(news), [expected(day, revision)]);
    assert.equal(news.hasNextPage, false);
    cursor = news.cursor;
  }
  await events.return();

  await send(later, "5.003");
  events = client.iterate({ query: subscription, variables: { property: env.PROPERTY_ID, after: cursor } });
  assert.deepEqual(said(await next(events)), [expected(later, 2)]);
  await events.return();
  await client.dispose();
});

// end is the cursor of the newest change.
async function end() {
  const query = `query Changes($property: ID!, $after: String) {
    measurementChanges(propertyId: $property, first: 1000, after: $after) { pageInfo { hasNextPage endCursor } }
  }`;
  for (let after = null; ; ) {
    const answer = await fetch(env.WATTGATE_GRAPHQL_URL, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: await bearer() },
      body: JSON.stringify({ query, variables: { property: env.PROPERTY_ID, after } }),
    });
    const { pageInfo } = (await answer.json()).data.measurementChanges;
    after = pageInfo.endCursor;
    if (!pageInfo.hasNextPage) return after;
  }
}

test("another partner's property is refused, and the connection stays", async () => {
  const client = connect(bearer);
  for (const property of [env.OTHER_PROPERTY_ID, "prop_nothing"]) {
    const refused = await new Promise((resolve, reject) => {
      client.subscribe({ query: subscription, variables: { property } }, { next: reject, complete: reject, error: resolve });
    });
    assert.equal(refused[0].extensions.errorCode, "KT-CT-6622");
  }
  await client.dispose();
});

for (const [name, bad, day] of [
  ["no token", undefined, ago(5)],
  ["a token that is none", "Bearer nonsense", ago(4)],
]) {
  test(`${name}: the connection is closed with 4403, and the client comes back with another`, async () => {
    const after = await end();
    await send(day, "5.004");
    const codes = [];
    let first = true;
    const authorization = async () => (first ? ((first = false), bad) : bearer());
    const client = connect(authorization, { retryAttempts: 1, retryWait: async () => {}, on: { closed: ({ code }) => codes.push(code) } });
    const events = client.iterate({ query: subscription, variables: { property: env.PROPERTY_ID, after } });
    assert.equal((await next(events)).changes[0].day, day);
    assert.deepEqual(codes, [4403]);
    await events.return();
    await client.dispose();
  });
}
