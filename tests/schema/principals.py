"""Who asks: the demo tenant's people and programs, signed in anew where that has ended.

Schemathesis loads this file (SCHEMATHESIS_HOOKS). An operation's security scheme decides whose
credential goes with a request; what a request ends (a session, a device, an account) is begun again
before the next one.
"""

import base64
import hmac
import itertools
import os
import struct
import time

import requests
import schemathesis

ORIGIN = os.environ["SPARE_KEY_ORIGIN"]
PASSWORD = "correct horse battery staple"
ALL_OF_A_PERSON = (
    "openid profile email enroll read:authenticators remove:authenticators "
    "read:me:authentication_methods read:me:factors create:me:authentication_methods"
)


def ask(method, path, **how):
    return requests.request(method, ORIGIN + path, timeout=30, **how)


def said(answer, *statuses):
    if answer.status_code not in statuses:
        raise RuntimeError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer.json()


def otp(secret):
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def token(*statuses, **fields):
    fields = {"client_id": "dev-app", "client_secret": "dev-app-secret", **fields}
    return said(ask("POST", "/oauth/token", data=fields), *statuses)


def manager():
    return token(
        200,
        client_id="dev-management",
        client_secret="dev-management-secret",
        grant_type="client_credentials",
        audience=f"{ORIGIN}/api/v2/",
    )["access_token"]


def newcomer():
    """Somebody with a password and nothing else. The demo people are in the documents' examples, so
    that a run may well remove them."""
    name = f"examined-{time.monotonic_ns()}"
    body = {
        "connection": "Username-Password-Authentication",
        "user_id": name,
        "email": f"{name}@example.com",
        "password": PASSWORD,
    }
    headers = {"Authorization": f"Bearer {manager()}"}
    known["/api/v2/users/"] = said(ask("POST", "/api/v2/users", json=body, headers=headers), 201)["user_id"]
    return body["email"]


def person(audience):
    """The access token of somebody who has just enrolled: that is the freshest proof there is."""
    headers = {"Authorization": f"Bearer {manager()}"}
    # What a run may have switched off.
    said(ask("PUT", "/api/v2/guardian/policies", json=["all-applications"], headers=headers), 200)
    path = "/api/v2/guardian/factors/recovery-code"
    said(ask("PUT", path, json={"enabled": True}, headers=headers), 200)
    more = {"audience": f"{ORIGIN}/{audience}"} if audience else {}
    login = newcomer()
    begun = token(
        403, grant_type="password", username=login, password=PASSWORD, scope=ALL_OF_A_PERSON, **more
    )
    body = {"authenticator_types": ["otp"]}
    offered = said(ask("POST", "/mfa/associate", json=body, headers=bearer(begun["mfa_token"])), 200)
    return token(
        200,
        grant_type="http://auth0.com/oauth/grant-type/mfa-otp",
        mfa_token=begun["mfa_token"],
        otp=otp(offered["secret"]),
    )["access_token"]


def identity():
    body = {"account_slug": "dev", "email": newcomer(), "password": PASSWORD}
    return said(ask("POST", "/v1/identity/auth/login", json=body), 200)["access_token"]


def portal():
    body = {"email": "dev-management", "password": "dev-management-secret"}
    return said(ask("POST", "/v1/auth/login", json=body), 200)["access_token"]


def session():
    body = {"email": newcomer(), "password": PASSWORD}
    return said(ask("POST", "/v1/self/login", json=body), 200)["data"]["session_token"]


def bearer(credential):
    return {"Authorization": f"Bearer {credential}"}


# By scheme and audience: how a credential comes about, how it is shown, and what says whether it
# still holds.
KINDS = {
    "machine": (manager, bearer, "/api/v2/guardian/factors"),
    "person me/": (lambda: person("me/"), bearer, "/me/v1/factors"),
    "person mfa/": (lambda: person("mfa/"), bearer, "/mfa/authenticators"),
    "person ": (lambda: person(""), bearer, "/userinfo"),
    "identity": (identity, bearer, "/v1/identity/auth/me"),
    "portal": (portal, bearer, "/portal/v1/accounts/dev/identities"),
    "apiKey": (session, lambda one: {"x-arklow-auth": one}, "/v1/self/"),
    "a demo key": (lambda: "dev-arklow-carol", lambda one: {"x-arklow-auth": one}, "/v1/self/"),
}
BASIC = "Basic " + base64.b64encode(b"dev-host:dev-host-secret").decode()

held = {}
# What stands in paths, by what they begin with.
known = {}
turns = itertools.count()


def still_holds(kind, one):
    _, shown, proof = KINDS[kind]
    return ask("GET", proof, headers=shown(one)).status_code == 200


def credential(kind):
    make, shown, _ = KINDS[kind]
    if kind not in held or not still_holds(kind, held[kind]):
        held[kind] = make()
    return shown(held[kind])


def somebody_there():
    """An identity that the portal shows."""
    if "identity" not in known:
        page = said(ask("GET", "/portal/v1/accounts/dev/identities", headers=bearer(portal())), 200)
        known["identity"] = page["items"][0]["id"]
    return known["identity"]


def within(value):
    """A value of the document and everything in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from within(inner)


def names_of(values, schemas):
    """The schemas that these values are made of."""
    found, waiting = set(), list(values)
    while waiting:
        for one in within(waiting.pop()):
            name = one.get("$ref", "").rpartition("/")[2] if isinstance(one, dict) else ""
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Answers have no member that the document does not name (A-14). Requests may: those are ignored."""
    schemas = raw_schema["components"]["schemas"]
    everything = [one for one in within(raw_schema) if isinstance(one, dict)]
    open_ones = names_of([one["requestBody"] for one in everything if "requestBody" in one], schemas)
    open_ones |= names_of([one["allOf"] for one in everything if "allOf" in one], schemas)
    for name in schemas.keys() - open_ones:
        # Of several that hold at once, none knows what the others name.
        joined = [part for one in within(schemas[name]) if isinstance(one, dict) for part in one.get("allOf", [])]
        joined = {id(one) for part in joined for one in within(part)}
        for one in within(schemas[name]):
            if isinstance(one, dict) and isinstance(one.get("properties"), dict) and id(one) not in joined:
                if "further members" not in one.get("description", ""):
                    one.setdefault("additionalProperties", False)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other request whose path may be anything is about what is there."""
    if not case.meta or not case.meta.generation.mode.is_positive or next(turns) % 2:
        return
    path, parameters = case.operation.path, case.path_parameters
    if path.startswith("/portal/"):
        there = {"account_slug": "dev", "app_slug": "dev-app", "env_slug": "development"}
        if "id" in parameters:
            there["id"] = somebody_there()
        parameters.update({name: value for name, value in there.items() if name in parameters})
    elif path.startswith("/api/v2/users/{id}") and path != "/api/v2/users/{id}":
        parameters["id"] = requests.utils.quote(known.get("/api/v2/users/", "auth0|carol"))


def kind_of(operation):
    """The kind of credential that an operation asks for; `None`: it asks for none in a header."""
    choices = operation.definition.raw.get("security", [])
    names = [name for choice in choices for name in choice]
    if {} in choices or not names:
        return None
    # Where an mfa_token does too, an access token has scopes.
    name = names[-1]
    if name != "person":
        return name
    for audience in ["me/", "mfa/"]:
        if operation.path.startswith(f"/{audience}"):
            return f"person {audience}"
    return "person "


@schemathesis.auth(refresh_interval=None)
class Principals:
    def get(self, case, context):
        kind = kind_of(context.operation)
        # Carol has an authenticator, for as long as a run leaves it to her.
        if kind == "apiKey" and next(turns) % 2 and still_holds("a demo key", "dev-arklow-carol"):
            kind = "a demo key"
        if kind is None:
            return {}
        return {"Authorization": BASIC} if kind == "basic" else credential(kind)

    def set(self, case, data, context):
        case.headers.update(data)
