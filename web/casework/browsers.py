"""What kind of browser somebody uses, in words they would use for it."""

from __future__ import annotations

BROWSERS = {
    "Edg": "Edge",
    "SamsungBrowser": "Samsung Internet",
    "OPR/": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
MACHINES = {
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Android": "an Android phone or tablet",
    "CrOS": "a Chromebook",
    "Windows": "Windows",
    "Macintosh": "a Mac",
    "Linux": "Linux",
}
"""The first name found counts: most browsers also give the names of others."""


def family(agent: str) -> str:
    """Like "Firefox on Windows". What a browser says of itself is not kept beyond this."""
    browser = _first(BROWSERS, agent) or "A browser"
    machine = _first(MACHINES, agent)
    return f"{browser} on {machine}" if machine else browser


def _first(names: dict[str, str], agent: str) -> str | None:
    return next((plain for name, plain in names.items() if name in agent), None)
