"""A site with one of everything in it, and the address of every page: for walking all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.store.models import Alert, SubmissionRow
from content.schema import Role
from tests.drivers.staff import Staff
from tests.drivers.waymark import Running
from tests.drivers.web import OnForm
from tests.public import CHILD, CONCERN, sent
from web.casework import accounts


@dataclass
class House:
    """Someone in the middle of a form, someone who sent theirs and has the reply open, and a
    headteacher at work."""

    running: Running
    writing: OnForm
    reading: OnForm
    staff: Staff
    stranger: OnForm
    ids: dict[str, str] = field(default_factory=dict)
    """By the name of the path's parameter, or the word before it in the path and that name."""

    def address(self, path: str) -> str:
        """A route's path with what is really there in place of its gaps."""

        def there(found: re.Match[str]) -> str:
            before, name = found[1], found[2].split(":")[0]
            return f"{before}/{self.ids.get(f'{before}/{name}', self.ids.get(name, 'anything'))}"

        while "{" in path:
            path = re.sub(r"(\w*)/\{([^}]+)\}", there, path, count=1)
        return path


def routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    """Every page and form of the site with its path."""
    yield from _routes(app.routes, "")


def _routes(found: list, prefix: str) -> Iterator[tuple[str, APIRoute]]:
    for route in found:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes, prefix + route.include_context.prefix)


async def furnished(running: Running) -> House:
    writing, reading, stranger = OnForm(running), OnForm(running), OnForm(running)
    await writing.begin(CONCERN)
    await writing.choose("danger", "not-sure")  # tells of harm: an alert, and a notice page
    reference, code = await sent(reading, CHILD)
    await reading.open("/reply")
    form = reading.page.one("form[action='/reply']")
    await reading.send_form(form, reference=reference, code=code)
    assert reading.page.path == "/reply/read"
    staff = await headteacher(running)
    ids = {"conversation": writing.id, "question": "danger", "flow": CONCERN}
    async with running.database.reading() as db:
        ids["submissions/id_"] = (await db.scalars(sa.select(SubmissionRow.id))).one()
        ids["alerts/id_"] = (await db.scalars(sa.select(Alert.id))).one()
    return House(running, writing, reading, staff, stranger, ids)


async def headteacher(running: Running) -> Staff:
    """Signed in, at the queue."""
    settings = running.waymark.settings
    staff = Staff(running.site, settings.address)
    link = await accounts.add(running.waymark, "Ann", "ann@example.org", Role.HEADTEACHER.value)
    await staff.use(link)
    assert staff.path == "/staff", staff.text
    return staff
