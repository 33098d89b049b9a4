"""What is believed of a token: the only file that knows the library for them. No I/O."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from bot.errors import WaymarkError

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signed with a key only the provider has. Never `none`, nor a secret that both sides know."""
LEEWAY = 60
"""Seconds by which two machines' clocks may differ."""
LARGEST = 32 * 1024
SHORTEST_RSA = 2048
Claims = Mapping[str, Any]
Keys = jwk.KeySet
_registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What a library may raise over a text that only looks like a token."""


class NotBelieved(WaymarkError):
    """The token proves nothing. The text is a word for the log: which check it failed."""


class UnknownKey(NotBelieved):
    """It is signed with a key that the provider had not published when we last looked."""


@dataclass(frozen=True)
class Expected:
    """What a token must say to be meant for us, and for this very sign-in."""

    issuer: str
    client: str
    nonce: str
    now: datetime


def read_keys(document: Any) -> Keys:
    """The provider's public keys, but for those of kinds we don't use. Raises ValueError."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no list of keys")
    keys = [key for one in listed if (key := _key(one))]
    if not keys:
        raise ValueError("no key of a kind that is used here")
    return Keys(keys)


def _key(one: Any) -> jwk.Key | None:
    if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC") or one.get("use") == "enc":
        return None
    try:
        if one["kty"] == "RSA" and _bits(one["n"]) < SHORTEST_RSA:
            return None
        return jwk.import_key({name: one[name] for name in _PUBLIC & one.keys()})
    except _UNREADABLE:
        return None


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{number}==")).bit_length()


_PUBLIC = {"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}


def believed(token: str, keys: Keys, expected: Expected) -> Claims:
    """What the token says, if it is to be believed. Raises NotBelieved, UnknownKey."""
    if len(token) > LARGEST:
        raise NotBelieved("size")
    try:
        claims = jwt.decode(token, keys, registry=_registry).claims
    except InvalidKeyIdError:
        raise UnknownKey("kid") from None
    except _UNREADABLE:
        raise NotBelieved("signature") from None
    for name, wrong in _checks(claims, expected).items():
        if wrong:
            raise NotBelieved(name)
    return claims


def _checks(claims: Claims, expected: Expected) -> dict[str, bool]:
    """Each check by its claim, and whether it failed."""
    now = expected.now.timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    nonce, subject = claims.get("nonce"), claims.get("sub")
    expires, made = seconds(claims, "exp"), seconds(claims, "iat")
    valid_from = seconds(claims, "nbf") if "nbf" in claims else now
    return {
        "iss": claims.get("iss") != expected.issuer,
        "aud": expected.client not in audiences,
        "azp": party != expected.client and (len(audiences) > 1 or party is not None),
        "nonce": not isinstance(nonce, str)
        or not secrets.compare_digest(nonce.encode(), expected.nonce.encode()),
        "sub": not isinstance(subject, str) or not 0 < len(subject) <= 255,
        "exp": expires is None or expires + LEEWAY <= now,
        "iat": made is None or made - LEEWAY > now,
        "nbf": valid_from is None or valid_from - LEEWAY > now,
    }


def seconds(claims: Claims, name: str) -> float | None:
    """A time in a token; None if it isn't one."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        return None
    return float(value)
