"""What can go wrong that is nobody's odd answer, by name."""


class WaymarkError(Exception):
    """Anything of ours."""


class UnknownFlow(WaymarkError):
    """There is no such flow, or not on this channel."""


class UnknownFact(WaymarkError):
    """There is no such row of content."""


class UnknownConversation(WaymarkError):
    """No such conversation, or it belongs to someone else; the two are not told apart."""


class StaleConversation(WaymarkError):
    """Somebody else's turn was committed first; this one must be taken again."""


class UnknownSubmission(WaymarkError):
    """No such submission, or not one this person may see; `wanted` names the action, for the
    audit."""

    def __init__(self, submission: str, wanted: str = "") -> None:
        super().__init__(submission)
        self.wanted = wanted


class UnknownPerson(WaymarkError):
    """There is no such account of staff."""


class NotAllowed(WaymarkError):
    """This person may not do this. The text is the sentence staff read; `wanted` names the action,
    for the audit."""

    def __init__(self, sentence: str, wanted: str = "") -> None:
        super().__init__(sentence)
        self.wanted = wanted


class ReasonNeeded(WaymarkError):
    """It is outside this person's caseload: they may open it once they say why."""

    def __init__(self, submission: str) -> None:
        super().__init__(submission)
        self.submission = submission


class InvalidMove(WaymarkError):
    """The submission can't go from its status to that one."""


class EditClash(WaymarkError):
    """It was changed by someone else since this page was opened."""


class CannotOpen(WaymarkError):
    """Sealed words that can't be opened: no key here, another's place, or tampered with."""


class Erased(CannotOpen):
    """Sealed words whose key was destroyed on purpose: nobody can open them any more."""


class BadBackup(WaymarkError):
    """A backup that can't be used, or not here. The text says why, for whoever restores."""
