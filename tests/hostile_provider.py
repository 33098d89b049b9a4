"""The council's sign-in, gone bad: an OpenID provider on loopback that lies as it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from joserfc import jwk, jws, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TENANT = "6babcaad-604b-40ac-a9d7-9fd97c0b779f"
CLIENT = "waymark-at-the-council"
Claims = dict[str, Any]


class HostileProvider:
    """Tells the truth, unless one of its parts is changed. `begin` makes it truthful again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.address = ""
        self.honest = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.other = jwk.RSAKey.generate_key(2048, {"kid": "one"})
        self.begin()

    def begin(self) -> None:
        self.key: jwk.Key = self.honest
        self.published: list[jwk.Key] = [self.honest]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one", "typ": "JWT"}
        self.claims: Claims = {}
        """Put over the true ones; with None the claim is left out."""
        self.forge: Callable[[str], str] = lambda token: token
        self.pages: dict[str, Callable[[], Response]] = {}
        """What a page answers in place of the truth: description, keys, token."""
        self.described: Claims = {}
        self.asked: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.seen: list[str] = []
        """The pages that were asked for."""

    @property
    def issuer(self) -> str:
        return f"{self.address}/{TENANT}/v2.0"

    # --- What a browser would do at its pages ------------------------------------------

    def authorise(self, address: str) -> dict[str, str]:
        """Somebody signs in there: what their browser carries back."""
        self.asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe(16)
        self.codes[code] = self.asked
        return {"code": code, "state": self.asked["state"], "iss": self.issuer}

    # --- Its answers -------------------------------------------------------------------

    def token(self, asked: dict[str, str]) -> str:
        now = int(self.clock().timestamp())
        true: Claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "pairwise-subject",
            "tid": TENANT,
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "name": "Ines Invented",
            "preferred_username": "ines@council.example",
            "roles": ["education-coordinator"],
            "nonce": asked["nonce"],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "auth_time": now,
        }
        claims = {name: v for name, v in (true | self.claims).items() if v is not None}
        if self.header["alg"] == "none":
            return ".".join((coded(self.header), coded(claims), ""))
        registry = jws.JWSRegistry(algorithms=[self.header["alg"]], strict_check_header=False)
        made = jwt.encode(self.header, claims, self.key, registry=registry)
        return self.forge(made)

    def app(self) -> Starlette:
        base = f"/{TENANT}/v2.0"
        return Starlette(
            routes=[
                Route(f"{base}/.well-known/openid-configuration", self._description),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _description(self, request: Request) -> Response:
        self.seen.append("description")
        if "description" in self.pages:
            return self.pages["description"]()
        true = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(true | self.described)

    async def _keys(self, request: Request) -> Response:
        self.seen.append("keys")
        if "keys" in self.pages:
            return self.pages["keys"]()
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

    async def _token(self, request: Request) -> Response:
        self.seen.append("token")
        if "token" in self.pages:
            return self.pages["token"]()
        form = await request.form()
        asked = self.codes.pop(str(form.get("code")), None)
        verifier = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        assert form["client_id"] == CLIENT
        assert form["client_secret"] == "a-secret"
        assert form["redirect_uri"] == asked["redirect_uri"]
        return JSONResponse({"token_type": "Bearer", "id_token": self.token(asked)})


def coded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def never_ending() -> Response:
    """A byte now and then, so that no single wait is long."""

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" "
            await asyncio.sleep(0.1)

    return StreamingResponse(drip())


@asynccontextmanager
async def listening(clock: Callable[[], datetime]) -> AsyncIterator[HostileProvider]:
    provider = HostileProvider(clock)
    config = uvicorn.Config(
        provider.app(), port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.address = f"http://127.0.0.1:{port}"
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
