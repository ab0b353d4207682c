"""auth0-server-python, as published.

Its MfaClient takes an mfa_token of its own making. The public way to one is `get_access_token`: the
session's refresh token is refused with mfa_required, and MfaRequiredError carries the wrapped token.
The session comes from the application's state store, which here is filled by a plain login; a web
application has it from its interactive login.
"""

import asyncio
import time
import unittest

import httpx
from auth0_server_python.auth_server.my_account_client import MyAccountClient
from auth0_server_python.auth_server.server_client import ServerClient
from auth0_server_python.auth_types import EnrollAuthenticationMethodRequest, VerifyAuthenticationMethodRequest
from auth0_server_python.error import MfaEnrollmentError, MfaRequiredError, MfaVerifyError, MyAccountApiError
from auth0_server_python.store import StateStore

from tenant import APP, CODE, DOMAIN, ISSUER, PASSWORD, REJECTED, Authenticator, Person, management, settle

SESSION = "_a0_session"


class Store(StateStore):
    """The sessions of an application, in memory."""

    def __init__(self):
        super().__init__({"secret": "a secret of the application"})
        self.states = {}

    async def set(self, identifier, state, remove_if_expires=False, options=None):
        self.states[identifier] = state if isinstance(state, dict) else state.model_dump()

    async def get(self, identifier, options=None):
        return self.states.get(identifier)

    async def delete(self, identifier, options=None):
        self.states.pop(identifier, None)


class TheWholeFlow(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.management = management()
        settle(cls.management)
        cls.addClassCleanup(settle, cls.management)

    async def asyncSetUp(self):
        # The administrator's calls here block, on purpose.
        asyncio.get_running_loop().slow_callback_duration = 60
        self.store = Store()
        self.client = ServerClient(
            domain=DOMAIN,
            client_id=APP[0],
            client_secret=APP[1],
            secret="a secret of the application",
            state_store=self.store,
            transaction_store=Store(),
        )

    def early(self, times):
        """Somebody new who has signed in before the policy came: sessions without a second factor."""
        person = Person(self.management)
        self.management.guardian.policies.set(request=[])
        form = {"grant_type": "password", "username": person.email, "password": PASSWORD}
        person.refresh_tokens = []
        for _ in range(times):
            answer = httpx.post(
                f"{ISSUER}oauth/token",
                data={**form, "scope": "openid profile offline_access", "client_id": APP[0], "client_secret": APP[1]},
            )
            self.assertEqual(answer.status_code, 200, answer.text)
            person.refresh_tokens.append(answer.json()["refresh_token"])
        self.management.guardian.policies.set(request=["all-applications"])
        return person

    def session(self, person):
        self.store.states[SESSION] = {
            "user": {"sub": person.id},
            "refresh_token": person.refresh_tokens.pop(),
            "token_sets": [],
            "domain": DOMAIN,
            "internal": {"sid": "a session", "created_at": int(time.time())},
        }

    async def begin(self, person, **asked):
        self.session(person)
        with self.assertRaises(MfaRequiredError) as raised:
            await self.client.get_access_token(**asked)
        return raised.exception

    async def enroll(self, person):
        required = await self.begin(person)
        self.assertEqual([entry.type for entry in required.mfa_requirements.enroll], ["otp"])
        enrollment = await self.client.mfa.enroll_authenticator({"mfa_token": required.mfa_token, "factor_type": "otp"})
        app = Authenticator(enrollment.secret)
        tokens = await self.client.mfa.verify({"mfa_token": required.mfa_token, "otp": app.next()})
        return enrollment, app, tokens

    async def redeem(self, person, code, **more):
        required = await self.begin(person)
        return await self.client.mfa.verify({"mfa_token": required.mfa_token, "recovery_code": code, **more})

    async def refused(self, person, code):
        with self.assertRaises(MfaVerifyError) as raised:
            await self.redeem(person, code)
        self.assertEqual(str(raised.exception), REJECTED[1])

    async def test_the_whole_life_of_a_code(self):
        person = self.early(8)
        required = await self.begin(person)
        self.assertEqual(await self.client.mfa.list_authenticators({"mfa_token": required.mfa_token}), [])
        enrollment, app, tokens = await self.enroll(person)
        (first,) = enrollment.recovery_codes
        self.assertRegex(first, CODE)
        self.assertTrue(enrollment.barcode_uri.startswith("otpauth://totp/"))
        self.assertIsNone(tokens.recovery_code)

        required = await self.begin(person)
        self.assertEqual([entry.type for entry in required.mfa_requirements.challenge], ["otp"])
        listed = await self.client.mfa.list_authenticators({"mfa_token": required.mfa_token})
        self.assertEqual(sorted((one.authenticator_type, one.active) for one in listed), [("otp", True), ("recovery-code", True)])
        challenge = await self.client.mfa.challenge_authenticator({"mfa_token": required.mfa_token, "factor_type": "otp"})
        self.assertEqual(challenge.challenge_type, "otp")
        await self.client.mfa.verify({"mfa_token": required.mfa_token, "otp": app.next()})

        second = (await self.redeem(person, first)).recovery_code
        self.assertRegex(second, CODE)
        await self.refused(person, first)
        third = self.management.users.regenerate_recovery_code(person.id).recovery_code
        await self.refused(person, second)

        self.management.guardian.factors.set("recovery-code", enabled=False)
        without, _, _ = await self.enroll(self.early(1))
        self.assertIsNone(without.recovery_codes)
        await self.refused(person, third)
        self.management.guardian.factors.set("recovery-code", enabled=True)

        # Kept in the session, the tokens serve the next call.
        recovered = await self.redeem(person, third, persist=True)
        self.assertRegex(recovered.recovery_code, CODE)
        self.assertEqual(await self.client.get_access_token(), recovered.access_token)

    async def test_sms_is_not_offered(self):
        required = await self.begin(self.early(1))
        with self.assertRaises(MfaEnrollmentError) as raised:
            await self.client.mfa.enroll_authenticator(
                {"mfa_token": required.mfa_token, "factor_type": "sms", "phone_number": "+15550100"}
            )
        self.assertIn("otp", str(raised.exception))

    async def test_my_account_makes_a_code_in_two_phases(self):
        person = self.early(4)
        enrollment, app, _ = await self.enroll(person)
        # A session without a factor has to prove one before it may change them.
        asked = {"audience": f"{ISSUER}me/", "scope": "create:me:authentication_methods read:me:authentication_methods"}
        required = await self.begin(person, **asked)
        tokens = await self.client.mfa.verify({"mfa_token": required.mfa_token, "otp": app.next()})
        mine = MyAccountClient(domain=DOMAIN)
        challenge = await mine.enroll_authentication_method(
            tokens.access_token, EnrollAuthenticationMethodRequest(type="recovery-code")
        )
        code = challenge.model_extra["recovery_code"]
        self.assertRegex(code, CODE)
        method = await mine.verify_authentication_method(
            tokens.access_token,
            challenge.authentication_method_id,
            VerifyAuthenticationMethodRequest(auth_session=challenge.auth_session),
        )
        self.assertEqual((method.type, method.confirmed), ("recovery-code", True))
        methods = await mine.list_authentication_methods(tokens.access_token)
        self.assertIn("recovery-code", [one.type for one in methods.authentication_methods])
        with self.assertRaises(MyAccountApiError):
            await mine.verify_authentication_method(
                tokens.access_token,
                challenge.authentication_method_id,
                VerifyAuthenticationMethodRequest(auth_session="another"),
            )
        await self.refused(person, enrollment.recovery_codes[0])
        self.assertRegex((await self.redeem(person, code)).recovery_code, CODE)


if __name__ == "__main__":
    unittest.main()
