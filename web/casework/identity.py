"""Who a believed token says somebody is, and which of our roles they have. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.settings import Settings
from content.schema import Role
from web.casework import id_token
from web.casework.id_token import Claims, NotBelieved


@dataclass(frozen=True)
class Identity:
    """What the provider vouches for."""

    subject: str
    name: str
    username: str
    role: Role | None
    no_role: str
    """For the log: what stood in place of a role."""
    proved_at: datetime | None
    """When they last proved themselves to the provider, if it says so."""


def read(settings: Settings, claims: Claims) -> Identity:
    """Keyed on what never changes and can't be chosen: never an e-mail address.

    Raises NotBelieved for a tenant that is not ours.
    """
    return Identity(
        subject=_subject(settings, claims),
        name=_plain(claims.get("name")) or _plain(claims.get("preferred_username")) or "No name",
        username=_plain(claims.get("preferred_username")).casefold(),
        role=_role(settings, claims.get(settings.oidc_role_claim)),
        no_role=_overage(claims),
        proved_at=_proved_at(claims),
    )


def _subject(settings: Settings, claims: Claims) -> str:
    if not settings.oidc_tenants:
        return f"{claims['iss']}|{claims['sub']}"
    tenant, person = claims.get("tid"), claims.get("oid")
    if tenant not in settings.oidc_tenants:
        raise NotBelieved("tid")
    if not isinstance(person, str) or not 0 < len(person) <= 255:
        raise NotBelieved("oid")
    return f"{tenant}|{person}"


def _role(settings: Settings, given: Any) -> Role | None:
    """The first of our roles among those the token gives. Group membership is never looked at."""
    names = given if isinstance(given, list) else [given]
    ours = {
        settings.oidc_roles[n] for n in names if isinstance(n, str) and n in settings.oidc_roles
    }
    return next((role for role in Role if role in ours), None)


def _overage(claims: Claims) -> str:
    """For the log: whether groups stood in place of roles."""
    return "groups" if {"groups", "hasgroups", "_claim_names"} & claims.keys() else "roles"


def _proved_at(claims: Claims) -> datetime | None:
    """No later than the token itself, whatever it says."""
    at, made = id_token.seconds(claims, "auth_time"), id_token.seconds(claims, "iat")
    return datetime.fromtimestamp(min(at, made or at), UTC) if at is not None else None


def _plain(text: Any) -> str:
    """A name as it can be shown on one line."""
    words = text if isinstance(text, str) else ""
    return " ".join("".join(ch for ch in words if ch.isprintable()).split())[:100]
