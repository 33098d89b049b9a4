"""A site with one of everything in it, and the address of every page: for walking all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from bot.store.models import Alert, SubmissionRow
from bot.store.models import Staff as Staff_
from content.schema import Role
from tests.drivers.staff import Staff
from tests.drivers.waymark import Running
from tests.drivers.web import OnForm
from tests.public import CHILD, CONCERN, sent
from web import doors
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


def routes(app: FastAPI) -> list[doors.Door]:
    """Every page and form of the site; the folder of styles and scripts is looked at apart."""
    return [door for door in doors.doors(app) if not door.path.startswith("/static/")]


async def furnished(running: Running) -> House:
    writing, reading, stranger = OnForm(running), OnForm(running), OnForm(running)
    reference, code = await sent(reading, CHILD)
    await reading.open("/reply")
    form = reading.page.one("form[action='/reply']")
    await reading.send_form(form, reference=reference, code=code)
    assert reading.page.path == "/reply/read"
    await writing.begin(CONCERN)
    await writing.choose("danger", "not-sure")  # tells of harm: an alert, and a notice page
    ids = {"conversation": writing.id, "question": "danger", "flow": CONCERN}
    ids["submissions/id_"] = await one(running, SubmissionRow.id)
    ids["alerts/id_"] = await one(running, Alert.id)
    ids |= {"kind": "entitlement", "row": "setting-up-home"}
    staff = await headteacher(running)
    ids["people/id_"] = await one(running, Staff_.id)
    return House(running, writing, reading, staff, stranger, ids)


async def one(running: Running, column: Any, *where: Any) -> Any:
    """The one there is."""
    async with running.database.reading() as db:
        return (await db.scalars(sa.select(column).where(*where))).one()


async def headteacher(running: Running, name: str = "Ann") -> Staff:
    """Signed in, at the queue."""
    settings = running.waymark.settings
    staff = Staff(running.site, settings.address)
    link = await accounts.add(running.waymark, name, "ann@example.org", Role.HEADTEACHER.value)
    await staff.use(link)
    assert staff.path == "/staff", staff.text
    return staff
