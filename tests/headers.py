"""What every answer of the site must carry, exactly; asked of a response of any kind."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

POLICY = (
    r"default-src 'none'; script-src 'nonce-([\w-]{22})'; style-src 'self'; img-src 'self'; "
    r"media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    r"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    r"require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp-report"
)
FILES = "sandbox; default-src 'none'"
"""What people handed in, as it is handed out: it may do nothing at all."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
SECURE = {"strict-transport-security": "max-age=31536000; includeSubDomains"}
SOMETIMES = {
    "accept-ranges", "allow", "clear-site-data", "content-disposition", "content-length",
    "content-range", "content-type", "etag", "last-modified", "location", "retry-after",
    "set-cookie",
}  # fmt: skip
"""What else a response may say. Anything not named in this file is a fault."""
KEPT = ("/static/", "/brand.css")
"""What a browser may keep for an hour; nothing else, not for a minute."""
TYPES = (
    "text/html; charset=utf-8", "application/json", "text/css; charset=utf-8",
    "text/javascript; charset=utf-8", "image/svg+xml", "font/woff2", "text/csv; charset=utf-8",
    "image/jpeg", "application/pdf", "audio/ogg", "audio/mpeg", "audio/wav", "audio/mp4",
)  # fmt: skip


def sound(response: Any, secure: bool = False) -> None:
    """Asserts that its headers are these and no others, and that the page fits them."""
    at = f"{response.request.method} {response.request.url} {response.status_code}"
    policy = re.fullmatch(POLICY, response.headers["content-security-policy"])
    if "/files/" in response.request.url.path and response.status_code in (200, 206):
        assert response.headers["content-security-policy"] == FILES, at
        assert response.headers["content-disposition"].startswith("attachment; "), at
    else:
        assert policy, at
    for name, value in {**ALWAYS, **(SECURE if secure else {})}.items():
        assert response.headers.get_list(name) == [value], (at, name)
    permissions = response.headers["permissions-policy"].split(", ")
    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(permissions), at
    assert all(allowed.endswith("=()") for allowed in permissions), at
    kept = response.status_code in (200, 304) and response.request.url.path.startswith(KEPT)
    assert response.headers["cache-control"] == ("public, max-age=3600" if kept else "no-store"), at
    known = {*ALWAYS, *SOMETIMES, "content-security-policy", "permissions-policy", "cache-control"}
    assert set(response.headers) - known == (set(SECURE) if secure else set()), at
    for cookie in response.headers.get_list("set-cookie"):
        _cookie_is_guarded(cookie, secure)
    if not response.content:
        return
    assert response.headers["content-type"] in TYPES, at
    # A copy that is taken away carries its style within: it is read where this site isn't.
    taken = "content-disposition" in response.headers
    if policy and response.headers["content-type"].startswith("text/html") and not taken:
        _page_fits(response.text, policy[1], at)


def _cookie_is_guarded(cookie: str, secure: bool) -> None:
    name, *rest = [part.strip() for part in cookie.split(";")]
    said = {part.casefold() for part in rest}
    assert {"httponly", "path=/"} <= said, cookie
    assert {"samesite=lax", "samesite=strict"} & said, cookie
    assert not any(part.startswith("domain=") for part in said), cookie
    assert ("secure" in said) == secure == name.startswith("__Host-"), cookie


def _page_fits(text: str, nonce: str, at: str) -> None:
    """No inline style, no handler, no script without the nonce, nothing from elsewhere."""
    found = tags(text)
    assert found, at
    for name, attributes in found:
        assert name not in ("style", "iframe", "object", "embed", "base"), (at, name)
        assert not [a for a in attributes if a.startswith(("on", "style", "hx-"))], (at, attributes)
        if name == "script":
            assert attributes.get("nonce") == nonce, at
        if name in ("script", "img", "link", "form"):
            to = attributes.get("src") or attributes.get("href") or attributes.get("action") or "/"
            assert to.startswith("/"), (at, attributes)
            assert not to.startswith("//"), (at, attributes)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of a page, and its attributes."""
    reading = _Tags()
    reading.feed(text)
    return reading.found
