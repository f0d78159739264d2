"""requests-oauthlib, as Debian ships it, against a real server.

Started by python_test.go, which hands over addresses and credentials in the
environment.
"""

import os
import unittest

from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

AUTH = os.environ["WATTGATE_AUTH_URL"]
PARTNER = os.environ["PARTNER_CLIENT_ID"], os.environ["PARTNER_CLIENT_SECRET"]


def session():
    return OAuth2Session(client=BackendApplicationClient(PARTNER[0], scope=["query:property"]))


class ClientCredentials(unittest.TestCase):
    def test_each_secret_method_at_each_door(self):
        methods = {
            "client_secret_basic": {"auth": HTTPBasicAuth(*PARTNER)},
            "client_secret_post": {"client_id": PARTNER[0], "client_secret": PARTNER[1], "include_client_id": True},
            "by itself": {"client_id": PARTNER[0], "client_secret": PARTNER[1]},
        }
        for name, method in methods.items():
            for door in ("/oauth2/token", "/token/"):
                with self.subTest(method=name, door=door):
                    s = session()
                    token = s.fetch_token(AUTH + door, audience="customer", **method)
                    self.assertEqual(token["scope"], ["query:property"])
                    query = '{ property(id: "%s") { id } }' % os.environ["PROPERTY_ID"]
                    answer = s.post(os.environ["WATTGATE_GRAPHQL_URL"], json={"query": query})
                    self.assertEqual(answer.json()["data"]["property"]["id"], os.environ["PROPERTY_ID"])

    def test_a_wrong_secret(self):
        with self.assertRaises(InvalidClientError):
            session().fetch_token(AUTH + "/oauth2/token", auth=HTTPBasicAuth(PARTNER[0], PARTNER[1] + "x"))

    def test_introspection_and_revocation(self):
        s = session()
        token = s.fetch_token(AUTH + "/oauth2/token", auth=HTTPBasicAuth(*PARTNER))["access_token"]

        def ask(path):
            return s.post(AUTH + path, data={"token": token}, withhold_token=True, auth=HTTPBasicAuth(*PARTNER))

        self.assertTrue(ask("/oauth2/introspect").json()["active"])
        self.assertEqual(ask("/oauth2/revoke").status_code, 200)
        self.assertEqual(ask("/oauth2/introspect").json(), {"active": False})


class Refresh(unittest.TestCase):
    """The refresh token came from the browser's flow, which code_test.go drives."""

    def test_rotation_and_reuse(self):
        s = OAuth2Session(os.environ["WEB_CLIENT_ID"])
        auth = HTTPBasicAuth(os.environ["WEB_CLIENT_ID"], os.environ["WEB_CLIENT_SECRET"])
        token = s.refresh_token(AUTH + "/oauth2/token", os.environ["REFRESH_TOKEN"], auth=auth)
        self.assertNotEqual(token["refresh_token"], os.environ["REFRESH_TOKEN"])
        for used in (os.environ["REFRESH_TOKEN"], token["refresh_token"]):  # the second falls with the first
            with self.assertRaises(InvalidGrantError):
                s.refresh_token(AUTH + "/oauth2/token", used, auth=auth)


if __name__ == "__main__":
    unittest.main()
