"""Authlib, as Debian ships it, against a real server.

Started by python_test.go, which hands over addresses and credentials in the
environment.
"""

import os
import unittest

from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign

AUTH = os.environ["WATTGATE_AUTH_URL"]
TOKEN, INTROSPECT, REVOKE = AUTH + "/oauth2/token", AUTH + "/oauth2/introspect", AUTH + "/oauth2/revoke"
PARTNER = os.environ["PARTNER_CLIENT_ID"], os.environ["PARTNER_CLIENT_SECRET"]


class ShortPrivateKeyJWT(PrivateKeyJWT):
    """An assertion for one request.

    Authlib's own lives for an hour, which is longer than we take (five minutes;
    RFC 7523 section 3 allows the refusal), and has no parameter for it.
    """

    def sign(self, auth, token_endpoint):
        return private_key_jwt_sign(
            auth.client_secret, client_id=auth.client_id, token_endpoint=token_endpoint, alg=self.alg, expires_in=60)


def keyed(method):
    with open(os.path.join(os.environ["KEY_DIR"], "ES256.pem"), encoding="ascii") as f:
        session = OAuth2Session(os.environ["KEYED_CLIENT_ID"], f.read(), token_endpoint_auth_method="private_key_jwt")
    session.register_client_auth_method(method)
    return session


class ClientCredentials(unittest.TestCase):
    def test_each_secret_method_at_each_door(self):
        for method in ("client_secret_basic", "client_secret_post"):
            for door in (TOKEN, AUTH + "/token/"):
                with self.subTest(method=method, door=door):
                    session = OAuth2Session(*PARTNER, token_endpoint_auth_method=method, scope="query:property")
                    token = session.fetch_token(door, grant_type="client_credentials", audience="customer")
                    self.assertEqual(token["token_type"].lower(), "bearer")
                    self.assertEqual(token["scope"], "query:property")
                    self.assertFalse(token.is_expired())
                    query = '{ property(id: "%s") { id } }' % os.environ["PROPERTY_ID"]
                    answer = session.post(os.environ["WATTGATE_GRAPHQL_URL"], json={"query": query})
                    self.assertEqual(answer.json()["data"]["property"]["id"], os.environ["PROPERTY_ID"])

    def test_a_wrong_secret(self):
        with self.assertRaises(OAuthError) as refused:
            OAuth2Session(PARTNER[0], PARTNER[1] + "x").fetch_token(TOKEN, grant_type="client_credentials")
        self.assertEqual(refused.exception.error, "invalid_client")

    def test_private_key_jwt(self):
        session = keyed(ShortPrivateKeyJWT(TOKEN, alg="ES256"))
        for _ in range(2):  # a new jti each time
            self.assertIn("access_token", session.fetch_token(TOKEN, grant_type="client_credentials"))

    def test_private_key_jwt_that_lives_for_an_hour(self):
        with self.assertRaises(OAuthError) as refused:
            keyed(PrivateKeyJWT(TOKEN, alg="ES256")).fetch_token(TOKEN, grant_type="client_credentials")
        self.assertEqual(refused.exception.error, "invalid_client")


class Tokens(unittest.TestCase):
    def setUp(self):
        self.session = OAuth2Session(*PARTNER)
        self.token = self.session.fetch_token(TOKEN, grant_type="client_credentials")

    def test_verified_with_the_published_keys(self):
        metadata = self.session.get(AUTH + "/.well-known/oauth-authorization-server", withhold_token=True).json()
        keys = JsonWebKey.import_key_set(self.session.get(metadata["jwks_uri"], withhold_token=True).json())
        claims = jwt.decode(self.token["access_token"], keys, claims_options={"iss": {"essential": True, "value": AUTH}})
        claims.validate()
        self.assertEqual(claims["sub"], PARTNER[0])

    def test_introspection_and_revocation(self):
        for method in ("client_secret_basic", "client_secret_post"):
            with self.subTest(method=method):
                session = OAuth2Session(*PARTNER, revocation_endpoint_auth_method=method)
                token = session.fetch_token(TOKEN, grant_type="client_credentials")["access_token"]
                said = session.introspect_token(INTROSPECT, token, "access_token").json()
                self.assertTrue(said["active"])
                self.assertEqual(said["client_id"], PARTNER[0])
                self.assertEqual(session.revoke_token(REVOKE, token, "access_token").status_code, 200)
                self.assertEqual(session.introspect_token(INTROSPECT, token).json(), {"active": False})
                self.assertEqual(session.revoke_token(REVOKE, "garbage").status_code, 200)

    def test_exchange(self):
        token = self.session.fetch_token(
            TOKEN, grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=os.environ["CUSTOMER_USER_ID"], subject_token_type="urn:wattgate:params:oauth:token-type:user-id",
            actor_token=self.token["access_token"], actor_token_type="urn:ietf:params:oauth:token-type:access_token")
        self.assertEqual(token["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token")
        answer = self.session.post(os.environ["WATTGATE_GRAPHQL_URL"], json={"query": "{ me { firstName } }"})
        self.assertEqual(answer.json()["data"]["me"]["firstName"], "Anna")


class Refresh(unittest.TestCase):
    """The refresh token came from the browser's flow, which code_test.go drives."""

    def test_rotation_and_reuse(self):
        session = OAuth2Session(os.environ["WEB_CLIENT_ID"], os.environ["WEB_CLIENT_SECRET"])
        token = session.refresh_token(TOKEN, os.environ["REFRESH_TOKEN"])
        self.assertNotEqual(token["refresh_token"], os.environ["REFRESH_TOKEN"])
        query = '{ property(id: "%s") { id } }' % os.environ["PROPERTY_ID"]
        answer = session.post(os.environ["WATTGATE_GRAPHQL_URL"], json={"query": query})
        self.assertEqual(answer.json()["data"]["property"]["id"], os.environ["PROPERTY_ID"])
        for used in (os.environ["REFRESH_TOKEN"], token["refresh_token"]):  # the second falls with the first
            with self.assertRaises(OAuthError) as refused:
                session.refresh_token(TOKEN, used)
            self.assertEqual(refused.exception.error, "invalid_grant")


if __name__ == "__main__":
    unittest.main()
