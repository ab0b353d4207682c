"""The tenant that the Python clients talk to, and the authenticator app of the people in these tests."""

import base64
import hashlib
import hmac
import os
import struct
import time
import uuid

from auth0.management import ManagementClient

DOMAIN = os.environ["SPARE_KEY_DOMAIN"]
ISSUER = f"https://{DOMAIN}/"
APP = ("dev-app", "dev-app-secret")
PASSWORD = "correct horse battery staple"
CONNECTION = "Username-Password-Authentication"
CODE = r"\A[A-Z0-9]{24}\Z"
REJECTED = ("invalid_grant", "MFA Authorization rejected.")

STEP = 30


def grant(name):
    """The long name of a grant."""
    return f"http://auth0.com/oauth/grant-type/{name}"


def management(client_id="dev-management", client_secret="dev-management-secret", **more):
    """The administrator's client, by default with every scope."""
    return ManagementClient(domain=DOMAIN, client_id=client_id, client_secret=client_secret, **more)


class Person:
    """Somebody new, who has only a password."""

    def __init__(self, client):
        self.email = f"{uuid.uuid4()}@example.com"
        made = client.users.create(connection=CONNECTION, email=self.email, password=PASSWORD)
        self.id = made.user_id


class Authenticator:
    """RFC 6238. Each step is given out once; three can be had within a step, as tests/browser/totp.mjs says."""

    def __init__(self, secret):
        self.key = base64.b32decode(secret)
        self.last = 0

    def next(self):
        now, late = divmod(time.time(), STEP)
        early = int(now) if late > STEP - 4 else int(now) - 1
        step = max(self.last + 1, early)
        while step > int(time.time() / STEP) + 1:
            time.sleep(0.25)
        self.last = step
        return self._at(step)

    def wrong(self):
        """Six digits that the app shows neither now nor near now."""
        now = int(time.time() / STEP)
        shown = {self._at(now + away) for away in range(-3, 4)}
        return next(digit * 6 for digit in "01234567" if digit * 6 not in shown)

    def _at(self, step):
        mac = hmac.new(self.key, struct.pack(">Q", step), hashlib.sha1).digest()
        (number,) = struct.unpack_from(">I", mac, mac[19] & 15)
        return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def settle(client):
    """The tenant as `dev` makes it."""
    client.guardian.policies.set(request=["all-applications"])
    client.guardian.factors.set("recovery-code", enabled=True)
