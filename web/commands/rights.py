"""`waymark rights`: who may do what, as a page made from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import typer
from fastapi import FastAPI

from content.schema import Role
from web.app import add_doors
from web.casework.access import GLASS_HOLDS, REASON_HOLDS
from web.casework.permissions import RULES, Action, Fact, Rule, Ways, When
from web.doors import Door, doors

ROLES = {
    Role.HEADTEACHER: "Headteacher",
    Role.EDUCATION_COORDINATOR: "Education co-ordinator",
    Role.TRANSITION_COORDINATOR: "Transition co-ordinator",
    Role.MENTOR: "Mentor",
}
HOURS, MINUTES = REASON_HOLDS.seconds // 3600, GLASS_HOLDS.seconds // 60
FACTS = {
    Fact.OWN: ("their own", "The person is its owner."),
    Fact.LINKED: ("shared with them", "Somebody shared it with them by name, and still does."),
    Fact.TEAM: ("their team's", "It belongs to their team: that of its owner when they took it."),
    Fact.UNOWNED: ("nobody's", "It has no owner yet."),
    Fact.RESTRICTED: ("restricted", "The headteacher has restricted it."),
    Fact.REASON: ("after a reason", f"They said why they need it, less than {HOURS} hours ago."),
    Fact.GLASS: (
        "after breaking the glass",
        f"They broke the glass less than {MINUTES} minutes ago: with its reference and a reason, "
        "shown to the headteacher until they take note of it.",
    ),
}
HEAD = """# Who may do what

Made from the rules by `waymark rights > docs/rights.md`; a test fails while the two differ. The
rules are in `web/casework/permissions.py`: the guard of every address, the filter of every list
and the buttons all follow from them. What is not here is not allowed.

What somebody may not open does not exist for them: it is not listed, counted, found, exported or
told of, and its address answers as one that never was. One exception: who could open it by giving
a reason is asked for one.

What was added to a submission later is open to whoever may open the first: what is so of the first
is so of it, such as whose it is, and that it is shared or restricted.
"""


def show() -> None:
    """Print who may do what, to whom each address is open, and why. For docs/rights.md."""
    typer.echo(page(), nl=False)


def page() -> str:
    every: FastAPI = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_doors(every)
    found = doors(every)
    staff = [door for door in found if door.actions]
    rest = [door for door in found if not door.actions]
    parts = [
        HEAD,
        *_part("What staff do", _row("", ROLES.values()), _actions(of_submissions=False)),
        *_part("With one submission", _row("", ROLES.values()), _actions(of_submissions=True)),
        *_part("The words used", _row("", ["Meaning"]), (_row(*FACTS[fact]) for fact in Fact)),
        *_part("Addresses for staff", _row("Address", ["What for"]), map(_door, staff)),
        *_part("Addresses without sign-in", _row("Address", ["Why"]), map(_door, rest)),
    ]
    return "\n".join(parts) + "\n"


def _part(title: str, heads: str, rows: Iterable[str]) -> Iterator[str]:
    yield f"## {title}\n"
    yield heads
    yield "| --- " * (heads.count("|") - 1) + "|"
    yield from rows
    yield ""


def _row(first: str, rest: Iterable[str] | str) -> str:
    cells = [rest] if isinstance(rest, str) else list(rest)
    return f"| {' | '.join([first, *cells])} |"


def _actions(of_submissions: bool) -> Iterator[str]:
    for action in Action:
        rule = RULES[action]
        if rule.of_submissions is of_submissions:
            yield _row(_capital(rule.phrase), (_cell(rule, role) for role in ROLES))


def _cell(rule: Rule, role: Role) -> str:
    if role not in rule.roles:
        return "no"
    return _words(rule.ways(role)) if rule.of_submissions else "yes"


def _words(ways: Ways) -> str:
    """Their own; shared with them; if not restricted: their team's, nobody's."""
    parts = []
    for shut, group in groupby(ways, lambda way: Fact.RESTRICTED in way.without):
        told = [_way(way) for way in group]
        plain = ", ".join(word for word in told if word)
        parts.append(f"if not restricted: {plain}".removesuffix(": ") if shut else plain or "any")
    return "; ".join(parts)


def _way(way: When) -> str:
    beyond = way.without - {Fact.RESTRICTED}
    told = [FACTS[fact][0] for fact in Fact if fact in way.needs]
    return " and ".join([*told, *(f"not {FACTS[fact][0]}" for fact in Fact if fact in beyond)])


def _door(door: Door) -> str:
    why = [_capital(RULES[action].phrase) for action in door.actions] or door.why_open
    return _row(f"`{door}`", "; ".join(dict.fromkeys(why)))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
