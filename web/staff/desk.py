"""What every staff page is handed: how to show itself to the person who is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from bot.wiring import Waymark
from web.casework import permissions
from web.casework.permissions import Action
from web.casework.sessions import Session
from web.dependencies import ThesePages, ThisWaymark
from web.staff.guard import ThisSession
from web.templating import Pages

DONE = {
    "taken": "This is yours now.",
    "assigned": "You have given this to someone.",
    "unassigned": "This belongs to nobody now.",
    "status": "You have changed the status.",
    "noted": "Your note is kept. Only staff can see it.",
    "replied": "You have replied. Under the answers you see how far it got.",
    "settled": "You have said what was done.",
    "looking": "You are looking at this. Nobody else is called.",
    "agreed": "You agreed: no further action is needed. The alert is closed.",
    "not-agreed": "You did not agree. The alert is open.",
    "tested": "A test is on its way. Look at this page again in a minute.",
    "looked-into": "You have said that you looked into this. It is kept in the log.",
    "reason": "You have said why, so you can open this for 8 hours. It stands in its history.",
    "glass": "You have broken the glass: this opens for 60 minutes. The headteacher is told.",
    "shared": "You have shared this.",
    "unshared": "You have stopped sharing this.",
    "restricted": "This is restricted now.",
    "unrestricted": "This is not restricted any more.",
    "noted-glass": "You have taken note of it.",
    "ended": "That is over: whoever used it is signed out.",
    "role": "The role is changed. They sign in anew.",
    "team": "The team is changed.",
    "on": "The account is switched on.",
    "off": "The account is switched off, and they are signed out.",
    "out": "They are signed out everywhere.",
    "asked": "It is written down, and has its day. A co-ordinator sees it among the requests.",
    "put-right": "You have answered. It reaches them like any reply.",
    "refused": "You have said that it can't be done, and why. It reaches them like any reply.",
    "proposed": "It is proposed. Somebody else has to agree now.",
    "sent-back": "You did not agree. It is to be looked at again.",
    "erased": "It is erased. The receipt says what was removed.",
    "released": "It is released. You can take the copy and hand it over.",
    "held": "There is a legal hold on it: it stays until you lift it.",
    "hold-lifted": "The hold is lifted. Its time runs again.",
    "kept-longer": "It is kept until then. Your reason is kept as a note.",
    "confirmed": "You have confirmed it, with your source and today's date.",
    "taken-down": "It is taken down. Within a minute nobody is told it any more.",
    "restored": "It is put back.",
    "password": "Your password is set. You are signed out everywhere else.",
}
"""What a page says after something was done; the address carries the word on the left."""


class Desk:
    """One person's way to their pages."""

    def __init__(self, request: Request, waymark: Waymark, pages: Pages, session: Session) -> None:
        self._request = request
        self._pages = pages
        self._waymark = waymark
        self.session = session

    def show(self, name: str, status: int = 200, **filled: Any) -> Response:
        """A page, with who is signed in, what they may do and the token of their forms."""
        return self._pages.show(
            self._request,
            f"staff/{name}.html",
            status=status,
            person=self.session.person,
            csrf=self.session.csrf,
            can=lambda action: permissions.can(self.session.person, Action(action)),
            may=lambda action, of: permissions.may(self.session.person, Action(action), of),
            priorities=self._waymark.content.policy.priorities,
            demo=self._waymark.settings.demo,
            once=self._waymark.new_id(),
            done=DONE.get(self._request.query_params.get("done", "")),
            **filled,
        )


def _desk(request: Request, waymark: ThisWaymark, pages: ThesePages, session: ThisSession) -> Desk:
    return Desk(request, waymark, pages, session)


ThisDesk = Annotated[Desk, Depends(_desk)]


def submission(id_: str) -> str:
    """The address of its page."""
    return f"/staff/submissions/{id_}"


def onward(address: str, done: str = "") -> RedirectResponse:
    """After a form: to a page that can be reloaded without doing it again."""
    return RedirectResponse(f"{address}?done={done}" if done else address, 303)
