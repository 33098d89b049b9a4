"""The council's own sign-in, as OpenID Connect: where it is, its keys, and a token for a code.

The provider may be slow, broken or away at any time: every question to it is bounded in time and in
size, and nothing but staff sign-in waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from pydantic import BaseModel, ValidationError

from bot.errors import WaymarkError
from bot.settings import Settings
from web.casework import id_token
from web.casework.id_token import Claims, Expected, NotBelieved, UnknownKey

PATIENCE = 5.0
"""Seconds for one answer, from the first byte to the last."""
LARGEST = 256 * 1024
KEPT = timedelta(hours=1)
"""How long what the provider says of itself, and its keys, are not asked for again."""
LOOK_AGAIN = timedelta(minutes=1)
"""A token with an unknown key makes us ask for the keys again, but no more often than this."""
REST = timedelta(seconds=5)
"""After it failed, those who wait behind are told at once instead of trying one by one."""
SCOPE = "openid profile"


class ProviderTrouble(WaymarkError):
    """The provider is away, slow or talks nonsense. The text is for the log."""


class Described(BaseModel):
    """What the provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """One provider. Nothing is asked of it before somebody signs in."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        assert settings.oidc_issuer
        assert settings.oidc_client_id
        self.issuer = settings.oidc_issuer
        self.client = settings.oidc_client_id
        self.back_to = f"{settings.address}/staff/sign-in/callback"
        self._secret = settings.oidc_client_secret
        self._clock = clock
        self._http = httpx2.AsyncClient(
            timeout=PATIENCE,
            limits=httpx2.Limits(max_connections=10),
            headers={"Accept-Encoding": "identity"},
        )
        self._lock = asyncio.Lock()
        self._described: tuple[datetime, Described] | None = None
        self._keys: tuple[datetime, id_token.Keys] | None = None
        self._looked_again: datetime | None = None
        self._failed: datetime | None = None

    async def close(self) -> None:
        await self._http.aclose()

    # --- Sending somebody there, and away ---------------------------------------------

    async def address(self, state: str, nonce: str, verifier: str, *, anew: bool = False) -> str:
        """Where somebody signs in; with `anew` even if they are signed in there already.

        Raises ProviderTrouble.
        """
        challenge = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": self.back_to,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if anew:
            asked |= {"prompt": "login", "max_age": "0"}
        return _with((await self._description()).authorization_endpoint, asked)

    async def way_out(self, back_to: str) -> str | None:
        """Where somebody signs out of the provider too; None if it has no such page, or is away."""
        try:
            page = (await self._description()).end_session_endpoint
        except ProviderTrouble:
            return None
        asked = {"client_id": self.client, "post_logout_redirect_uri": back_to}
        return _with(page, asked) if page else None

    # --- What it answers --------------------------------------------------------------

    async def claims(self, code: str, verifier: str, nonce: str, issuer: str | None) -> Claims:
        """What the provider vouches for, in exchange for the code somebody came back with.

        `issuer` is who the answer says it is from. Raises ProviderTrouble, NotBelieved.
        """
        described = await self._description()
        named = described.authorization_response_iss_parameter_supported
        if (issuer is not None or named) and issuer != self.issuer:
            raise NotBelieved("response issuer")
        token = await self._exchange(described, code, verifier)
        expected = Expected(self.issuer, self.client, nonce, self._clock())
        try:
            return id_token.believed(token, await self._known_keys(described), expected)
        except UnknownKey:
            return id_token.believed(token, await self._known_keys(described, again=True), expected)

    async def _exchange(self, described: Described, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back_to,
            "client_id": self.client,
            "code_verifier": verifier,
        }
        ways = described.token_endpoint_auth_methods_supported
        secret = self._secret.get_secret_value() if self._secret else None
        basic = None
        if secret and "client_secret_post" in ways:
            form["client_secret"] = secret
        elif secret:
            basic = httpx2.BasicAuth(self.client, secret)
        status, answer = await self._ask(
            "POST", described.token_endpoint, data=form, auth=basic or httpx2.USE_CLIENT_DEFAULT
        )
        if status == 400 and answer.get("error") == "invalid_grant":
            raise NotBelieved("code")
        if status != 200 or not isinstance(answer.get("id_token"), str):
            raise ProviderTrouble(f"token endpoint: {status}")
        return str(answer["id_token"])

    # --- What is known of it ----------------------------------------------------------

    async def _description(self) -> Described:
        async with self._lock:
            if self._described and self._clock() - self._described[0] < KEPT:
                return self._described[1]
            where = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, answer = await self._look_up(where)
            try:
                described = Described.model_validate(answer)
            except ValidationError:
                raise ProviderTrouble(f"description: {status}") from None
            if described.issuer != self.issuer:
                raise ProviderTrouble("it calls itself something else than WAYMARK_OIDC_ISSUER")
            if any(not self._safe(page) for page in _pages(described)):
                raise ProviderTrouble("it names an address without https")
            self._described = (self._clock(), described)
            return described

    def _safe(self, address: str) -> bool:
        """HTTPS, unless the provider itself is on this very machine, for trying things out."""
        return address.startswith("https://") or self.issuer.startswith("http://")

    async def _known_keys(self, described: Described, again: bool = False) -> id_token.Keys:
        async with self._lock:
            now = self._clock()
            if self._keys and now - self._keys[0] < KEPT and not (again and self._may_look(now)):
                return self._keys[1]
            self._looked_again = now if again else self._looked_again
            status, answer = await self._look_up(described.jwks_uri)
            try:
                keys = id_token.read_keys(answer)
            except ValueError:
                raise ProviderTrouble(f"keys: {status}") from None
            self._keys = (now, keys)
            return keys

    def _may_look(self, now: datetime) -> bool:
        return self._looked_again is None or now - self._looked_again > LOOK_AGAIN

    async def _look_up(self, where: str) -> tuple[int, Mapping[str, Any]]:
        if self._failed and self._clock() - self._failed < REST:
            raise ProviderTrouble("it failed a moment ago")
        try:
            return await self._ask("GET", where)
        except ProviderTrouble:
            self._failed = self._clock()
            raise

    async def _ask(self, method: str, where: str, **more: Any) -> tuple[int, Mapping[str, Any]]:
        """One question, and its answer as JSON."""
        status = 0
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._http.stream(method, where, **more) as response,
            ):
                status, body = response.status_code, bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > LARGEST:
                        raise ProviderTrouble("too much")
            answer = json.loads(bytes(body))
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderTrouble(type(error).__name__) from None
        except (ValueError, RecursionError):
            raise ProviderTrouble(f"not JSON: {status}") from None
        if status >= 500 or not isinstance(answer, dict):
            raise ProviderTrouble(f"answer: {status}")
        return status, answer


def _pages(described: Described) -> list[str]:
    whole = (
        described.authorization_endpoint,
        described.token_endpoint,
        described.jwks_uri,
        described.end_session_endpoint,
    )
    return [page for page in whole if page is not None]


def _with(page: str, asked: Mapping[str, str]) -> str:
    return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(asked)}"
