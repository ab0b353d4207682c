"""auth0-python 6, as published: its management client, and its authentication client for the person's side.

GetToken logs in and says that MFA is needed; it has no calls for MFA, so the tests use the `post` and
`authenticated_post` that it inherits, as its users do.
"""

import unittest
import uuid

import httpx
from auth0.authentication import GetToken
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from auth0.authentication.exceptions import Auth0Error
from auth0.management.core.api_error import ApiError

from tenant import APP, CODE, CONNECTION, DOMAIN, ISSUER, PASSWORD, REJECTED, Authenticator, Person, grant, management, settle


class TheWholeFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.management = management()
        settle(cls.management)
        cls.addClassCleanup(settle, cls.management)

    def setUp(self):
        self.auth = GetToken(DOMAIN, *APP)

    def begin(self, person):
        with self.assertRaises(Auth0Error) as raised:
            self.auth.login(username=person.email, password=PASSWORD, realm=CONNECTION, scope="openid profile offline_access")
        self.assertEqual((raised.exception.status_code, raised.exception.error_code), (403, "mfa_required"))
        return raised.exception.content["mfa_token"]

    def associate(self, mfa_token):
        return self.auth.post(
            f"https://{DOMAIN}/mfa/associate",
            data={"authenticator_types": ["otp"]},
            headers={"Authorization": f"Bearer {mfa_token}"},
        )

    def verify(self, name, mfa_token, **factor):
        data = {"client_id": APP[0], "grant_type": grant(name), "mfa_token": mfa_token, **factor}
        return self.auth.authenticated_post(f"https://{DOMAIN}/oauth/token", data=data)

    def enroll(self, person):
        mfa_token = self.begin(person)
        association = self.associate(mfa_token)
        app = Authenticator(association["secret"])
        tokens = self.verify("mfa-otp", mfa_token, otp=app.next())
        return association, app, tokens

    def redeem(self, person, code):
        return self.verify("mfa-recovery-code", self.begin(person), recovery_code=code)

    def refused(self, person, code):
        with self.assertRaises(Auth0Error) as raised:
            self.redeem(person, code)
        error = raised.exception
        self.assertEqual((error.status_code, error.error_code, error.message), (403, *REJECTED))

    def test_the_whole_life_of_a_code(self):
        person = Person(self.management)
        association, app, tokens = self.enroll(person)
        (first,) = association["recovery_codes"]
        self.assertRegex(first, CODE)
        self.assertNotIn("recovery_code", tokens)
        self.assertNotIn("recovery_code", self.verify("mfa-otp", self.begin(person), otp=app.next()))

        second = self.redeem(person, first)["recovery_code"]
        self.assertRegex(second, CODE)
        self.refused(person, first)
        third = self.management.users.regenerate_recovery_code(person.id).recovery_code
        self.assertRegex(third, CODE)
        self.refused(person, second)

        self.assertFalse(self.management.guardian.factors.set("recovery-code", enabled=False).enabled)
        association, _, _ = self.enroll(Person(self.management))
        self.assertNotIn("recovery_codes", association)
        self.refused(person, third)
        self.assertTrue(self.management.guardian.factors.set("recovery-code", enabled=True).enabled)
        self.assertRegex(self.redeem(person, third)["recovery_code"], CODE)

    def test_an_id_token_stands_up_to_the_verifier(self):
        person = Person(self.management)
        _, _, tokens = self.enroll(person)
        keys = AsymmetricSignatureVerifier(f"{ISSUER}.well-known/jwks.json")
        verifier = TokenVerifier(signature_verifier=keys, issuer=ISSUER, audience=APP[0])
        self.assertEqual(verifier.verify(tokens["id_token"])["sub"], person.id)
        # The client sends an empty scope here.
        refreshed = self.auth.refresh_token(tokens["refresh_token"])
        self.assertEqual(verifier.verify(refreshed["id_token"])["sub"], person.id)

    def test_a_wrong_password_of_the_app(self):
        person = Person(self.management)
        _, app, _ = self.enroll(person)
        with self.assertRaises(Auth0Error) as raised:
            self.verify("mfa-otp", self.begin(person), otp=app.wrong())
        self.assertEqual((raised.exception.error_code, raised.exception.message), ("invalid_grant", "Invalid otp_code."))


class Losing(httpx.HTTPTransport):
    """Does every request, and loses the first answer."""

    def __init__(self):
        super().__init__()
        self.codes = []

    def handle_request(self, request):
        response = super().handle_request(request)
        response.read()
        self.codes.append(response.json()["recovery_code"])
        return response if len(self.codes) > 1 else httpx.Response(502, headers={"retry-after": "1"})


class Administration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.management = management()
        settle(cls.management)
        cls.addClassCleanup(settle, cls.management)

    def refusal(self, call, status, code):
        with self.assertRaises(ApiError) as raised:
            call()
        self.assertEqual(raised.exception.status_code, status)
        self.assertEqual(raised.exception.body["statusCode"], status)
        self.assertEqual(raised.exception.body.get("errorCode"), code)

    def enrolled(self):
        person = Person(self.management)
        flow = TheWholeFlow()
        flow.auth = GetToken(DOMAIN, *APP)
        association, _, _ = flow.enroll(person)
        return person, association["recovery_codes"][0], flow

    def test_people_factors_and_policies(self):
        person = Person(self.management)
        self.assertEqual(self.management.users.get(person.id).email, person.email)
        found = self.management.users.list_users_by_email(email=person.email)
        self.assertEqual([user.user_id for user in found], [person.id])
        factors = {factor.name: factor.enabled for factor in self.management.guardian.factors.list()}
        self.assertEqual({name for name, enabled in factors.items() if enabled}, {"otp", "recovery-code"})
        self.assertEqual(list(self.management.guardian.policies.list()), ["all-applications"])
        self.management.users.delete(person.id)
        self.refusal(lambda: self.management.users.get(person.id), 404, "inexistent_user")

    def test_what_is_enrolled_is_listed_without_the_code_and_taken_away(self):
        person, code, _ = self.enrolled()
        methods = list(self.management.users.authentication_methods.list(person.id))
        self.assertEqual(sorted(method.type for method in methods), ["recovery-code", "totp"])
        self.assertNotIn(code, str(methods))
        self.assertTrue(self.management.users.enrollments.get(person.id))
        self.management.users.authenticators.delete_all(person.id)
        self.assertEqual(list(self.management.users.enrollments.get(person.id)), [])

    def test_refusals(self):
        person, _, _ = self.enrolled()
        regenerate = self.management.users.regenerate_recovery_code
        self.refusal(lambda: regenerate("auth0|nobody"), 404, "inexistent_user")
        bare = Person(self.management)
        self.refusal(lambda: regenerate(bare.id), 404, "enrollment_not_found")
        readonly = management("dev-readonly", "dev-readonly-secret")
        self.refusal(lambda: readonly.users.regenerate_recovery_code(person.id), 403, "insufficient_scope")

    def test_an_idempotency_key_brings_the_same_code_again(self):
        person, _, flow = self.enrolled()
        options = {"additional_headers": {"Idempotency-Key": str(uuid.uuid4())}}
        code = self.management.users.regenerate_recovery_code(person.id, request_options=options).recovery_code
        again = self.management.users.regenerate_recovery_code(person.id, request_options=options).recovery_code
        self.assertEqual(again, code)
        self.assertRegex(flow.redeem(person, code)["recovery_code"], CODE)

    def test_a_lost_answer_is_asked_for_again_by_the_client(self):
        person, _, flow = self.enrolled()
        losing = Losing()
        with httpx.Client(transport=losing) as client:
            code = management(httpx_client=client).users.regenerate_recovery_code(person.id).recovery_code
        self.assertEqual(len(losing.codes), 2)
        self.assertEqual(code, losing.codes[1])
        self.assertRegex(flow.redeem(person, code)["recovery_code"], CODE)


if __name__ == "__main__":
    unittest.main()
