// npm's urql pages through a year of measurements. Started by year_test.go,
// which corrects readings after each page.
import assert from "node:assert/strict";
import { test } from "node:test";

import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";

import { env, thirdPartyToken } from "./graphql.mjs";

const page = 1000;
const halfHour = 30 * 60 * 1000;
const intervals = Number(env.YEAR_INTERVALS);

const year = gql`
  query Year($property: ID!, $from: Date, $to: Date, $first: Int, $after: String) {
    property(id: $property) {
      id
      measurements(startOn: $from, endOn: $to, first: $first, after: $after) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            ...Interval
          }
        }
      }
    }
  }

  fragment Interval on IntervalMeasurementType {
    startAt
    revision
  }
`;

for (const [name, preferGetMethod] of [["POST", false], ["GET", "force"]]) {
  test(`a year by ${name}`, async () => {
    const methods = new Set();
    const token = await thirdPartyToken();
    const client = new Client({
      url: env.WATTGATE_GRAPHQL_URL,
      exchanges: [cacheExchange, fetchExchange],
      preferGetMethod,
      fetch: (url, options) => methods.add(options.method) && fetch(url, options),
      fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    });
    const starts = [];
    const cursors = new Set();
    let corrected = 0;
    for (let after = null, more = true; more; ) {
      const variables = { property: env.PROPERTY_ID, from: env.YEAR_FROM, to: env.YEAR_TO, first: page, after };
      const { data, error } = await client.query(year, variables).toPromise();
      assert.equal(error, undefined);
      const { totalCount, pageInfo, edges } = data.property.measurements;
      assert.equal(totalCount, intervals);
      for (const { cursor, node } of edges) {
        assert.equal(node.__typename, "IntervalMeasurementType");
        cursors.add(cursor);
        starts.push(Date.parse(node.startAt));
        if (node.revision > 1) corrected++;
      }
      ({ endCursor: after, hasNextPage: more } = pageInfo);
    }
    assert.equal(starts.length, intervals);
    assert.equal(cursors.size, intervals);
    starts.forEach((start, i) => assert.equal(start, Date.parse(env.YEAR_START) + i * halfHour));
    assert.ok(corrected > 0);
    assert.deepEqual([...methods], [name]);
  });
}
