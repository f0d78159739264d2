// npm's graphql-http audits us by the specification GraphQL over HTTP. Started by
// graphql_test.go.
import assert from "node:assert/strict";
import { test } from "node:test";

import { serverAudits } from "graphql-http";

import { env, thirdPartyToken } from "./graphql.mjs";

const token = env.AUDITED_AS === "somebody" ? await thirdPartyToken() : undefined;

function fetchFn(url, options = {}) {
  const headers = new Headers(options.headers);
  if (token) headers.set("authorization", `Bearer ${token}`);
  return fetch(url, { ...options, headers });
}

const audits = serverAudits({ url: env.WATTGATE_GRAPHQL_URL, fetchFn });

test("all of the audits are here", () => assert.equal(audits.length, 61));

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const { status, reason } = await audit.fn();
    assert.equal(status, "ok", reason);
  });
}
