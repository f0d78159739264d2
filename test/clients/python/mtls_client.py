"""Authlib with a client certificate (RFC 8705), against a real server with TLS.

Started by mtls_test.go, which hands over addresses and certificates in the
environment.
"""

import os
import unittest

from authlib.integrations.requests_client import OAuth2Session, OAuthError

AUTH, GRAPHQL = os.environ["WATTGATE_AUTH_URL"], os.environ["WATTGATE_GRAPHQL_URL"]
QUERY = {"query": '{ property(id: "%s") { id } }' % os.environ["PROPERTY_ID"]}


def file(name):
    return os.path.join(os.environ["TLS_DIR"], name)


def session(client_id, certificate):
    s = OAuth2Session(client_id, token_endpoint_auth_method="none")
    s.trust_env = False  # a REQUESTS_CA_BUNDLE of the machine would stand above verify
    s.verify = file("ca.pem")
    s.cert = (file(certificate + ".pem"), file(certificate + ".key"))
    return s


class Certificates(unittest.TestCase):
    def test_both_methods(self):
        for client_id, mine, other in (
            (os.environ["TLS_CLIENT_ID"], "client", "alone"),
            (os.environ["SELF_SIGNED_CLIENT_ID"], "alone", "client"),
        ):
            with self.subTest(certificate=mine):
                s = session(client_id, mine)
                token = s.fetch_token(AUTH + "/oauth2/token", grant_type="client_credentials")
                answer = s.post(GRAPHQL, json=QUERY).json()
                self.assertEqual(answer["data"]["property"]["id"], os.environ["PROPERTY_ID"])

                thief = session(client_id, other)
                with self.assertRaises(OAuthError) as refused:
                    thief.fetch_token(AUTH + "/oauth2/token", grant_type="client_credentials")
                self.assertEqual(refused.exception.error, "invalid_client")
                thief.token = token
                self.assertIn("KT-CT-1111", thief.post(GRAPHQL, json=QUERY).text)


if __name__ == "__main__":
    unittest.main()
