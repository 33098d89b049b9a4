"""Every address has a stated rule: which act of staff it is, or why it is open to everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from web.casework.permissions import Action

STAFF = "/staff"
OPEN_TO_STRANGERS = (
    f"{STAFF}/sign-in",
    f"{STAFF}/sign-in/council",
    f"{STAFF}/sign-in/callback",
    f"{STAFF}/sign-in/emergency",
    f"{STAFF}/sign-in/{{token}}",
    f"{STAFF}/signed-out",
)
"""The only staff pages for people who are not signed in."""
_acts: dict[Callable[..., Any], Action] = {}
_open: dict[Callable[..., Any], str] = {}


def states(guard: Callable[..., Any], action: Action) -> None:
    """From now on, this dependency is known to let people through for that action only."""
    _acts[guard] = action


def open_to_all(why: str) -> Callable[[], None]:
    """For a router whose addresses need no sign-in: a dependency that only states why."""

    def stated() -> None:
        """Nothing to check."""

    _open[stated] = why
    return stated


@dataclass(frozen=True)
class Door:
    """One address, and what it takes to come in."""

    methods: tuple[str, ...]
    path: str
    actions: tuple[Action, ...]
    why_open: tuple[str, ...]

    @property
    def stated(self) -> bool:
        """Whether its rule is known; under /staff, only an action counts as one."""
        if self.path == STAFF or self.path.startswith(f"{STAFF}/"):
            return bool(self.actions) or (self.path in OPEN_TO_STRANGERS and bool(self.why_open))
        return bool(self.actions or self.why_open)

    def __str__(self) -> str:
        return f"{', '.join(self.methods)} {self.path}"


def unstated(app: FastAPI) -> list[str]:
    """Addresses without a rule: anybody could use them. There must be none."""
    return [str(door) for door in doors(app) if not door.stated]


def doors(app: FastAPI) -> list[Door]:
    """Every address there is, however it was added."""
    late = getattr(app.router, "_low_priority_routes", ())  # folders served as a site
    return list(_doors((*app.routes, *late), ""))


def _doors(routes: Sequence[BaseRoute], prefix: str) -> Iterator[Door]:
    for route in iter_route_contexts(list(routes)):
        inner = route.original_route
        path = prefix + (route.path or "/...")
        if isinstance(inner, Mount) and inner.routes:
            yield from _doors(inner.routes, path)
        elif path == "/static" and isinstance(inner, Mount) and isinstance(inner.app, StaticFiles):
            yield Door(("GET",), f"{path}/{{file}}", (), ("Style sheets, scripts and pictures.",))
        elif isinstance(inner, APIRoute):
            yield _door(route, path)
        else:  # a websocket, or another program's page: our guards don't stand there
            yield Door(("ANY",), path, (), ())


def _door(route: RouteContext, path: str) -> Door:
    calls = list(_calls(route.dependant))
    return Door(
        methods=tuple(sorted(route.methods or ())),
        path=path,
        actions=tuple(_acts[call] for call in calls if call in _acts),
        why_open=tuple(_open[call] for call in calls if call in _open),
    )


def _calls(dependant: Dependant) -> Iterator[Any]:
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)
