"""requests, as Debian ships it, pages through a year of measurements.

Started by year_test.go, which hands over addresses, credentials and the year in
the environment, and corrects readings after each page.
"""

import datetime
import os
import unittest

import requests

PAGE = 1000
HALF_HOUR = datetime.timedelta(minutes=30)
START = datetime.datetime.fromisoformat(os.environ["YEAR_START"].replace("Z", "+00:00"))
INTERVALS = int(os.environ["YEAR_INTERVALS"])

QUERY = """
query Year($property: ID!, $from: Date, $to: Date, $first: Int, $after: String, $last: Int, $before: String) {
  property(id: $property) {
    measurements(startOn: $from, endOn: $to, first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { ... on IntervalMeasurementType { startAt endAt revision } } }
    }
  }
}
"""


class Year(unittest.TestCase):
    def setUp(self):
        self.session = requests.Session()
        self.session.trust_env = False  # the server is on this machine
        answer = self.session.post(
            os.environ["WATTGATE_AUTH_URL"] + "/oauth2/token",
            data={"grant_type": "client_credentials", "audience": "customer"},
            auth=(os.environ["THIRD_PARTY_CLIENT_ID"], os.environ["THIRD_PARTY_CLIENT_SECRET"]),
        )
        self.session.headers["Authorization"] = "Bearer " + answer.json()["access_token"]
        self.addCleanup(self.session.close)

    def page(self, **variables):
        variables.update({"property": os.environ["PROPERTY_ID"], "from": os.environ["YEAR_FROM"], "to": os.environ["YEAR_TO"]})
        answer = self.session.post(os.environ["WATTGATE_GRAPHQL_URL"], json={"query": QUERY, "variables": variables})
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("errors", answer.json())
        page = answer.json()["data"]["property"]["measurements"]
        self.assertEqual(page["totalCount"], INTERVALS)
        return page

    def check(self, edges):
        """Each interval once, in the order of time, and some of them corrected."""
        self.assertEqual(len(edges), INTERVALS)
        self.assertEqual(len({edge["cursor"] for edge in edges}), INTERVALS)
        for i, edge in enumerate(edges):
            self.assertEqual(datetime.datetime.fromisoformat(edge["node"]["startAt"]), START + i * HALF_HOUR)
            self.assertEqual(datetime.datetime.fromisoformat(edge["node"]["endAt"]), START + (i + 1) * HALF_HOUR)
        self.assertGreater(sum(edge["node"]["revision"] > 1 for edge in edges), 0)

    def test_forwards(self):
        edges, after, more = [], None, True
        while more:
            page = self.page(first=PAGE, after=after)
            edges += page["edges"]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        self.check(edges)

    def test_backwards(self):
        edges, before, more = [], None, True
        while more:
            page = self.page(last=PAGE, before=before)
            edges = page["edges"] + edges
            before, more = page["pageInfo"]["startCursor"], page["pageInfo"]["hasPreviousPage"]
        self.check(edges)


if __name__ == "__main__":
    unittest.main()
