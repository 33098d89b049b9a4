"""The tables. The line under each column says what it holds, and for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from content.schema import FIRST_TEAM

Found = sa.Row[*tuple[Any, ...]]
"""A row as read: its columns by name."""


class Moment(TypeDecorator[datetime]):
    """A time in UTC, aware on both databases; SQLite alone would give it back naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value)


SEALED = b"\x01"
"""Begins every sealed value: which way of sealing it is."""


class Sealed(TypeDecorator[bytes]):
    """Sealed words. Plain ones are refused, and so is comparing: equal words never look equal."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: sa.Dialect) -> bytes | None:
        if value is not None and value[:1] != SEALED:
            raise ValueError("words that are not sealed")
        return value

    class Comparator(TypeDecorator.Comparator[bytes]):
        """Only whether there is anything; SQLAlchemy itself tells columns apart by comparing."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            columns = all(isinstance(each, sa.ColumnElement) for each in other)
            if op not in (operators.is_, operators.is_not) and not columns:
                raise TypeError("sealed words can't be compared; keep a digest to find them by")
            return super().operate(op, *other, **kwargs)

    comparator_factory = Comparator


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can name them too."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: sa.JSON, list[str]: sa.JSON}
    __kept__: ClassVar[str]
    """How long: a period of content/policy/retention.yaml, or `with <table>` it belongs to."""


# Every column says what it holds, or the tests fail: nobody can add words in the clear unawares.


def plain(*given: Any, **more: Any) -> MappedColumn[Any]:
    """Ids, times, states and our own labels: nothing that a sender or staff wrote."""
    return mapped_column(*given, info={"class": "plain"}, **more)


def published(*given: Any, **more: Any) -> MappedColumn[Any]:
    """Words of staff that are made to be read by anybody: they stand on public pages."""
    return mapped_column(*given, info={"class": "published"}, **more)


def sealed() -> MappedColumn[Any]:
    """Words, or a key: only ever written as sealing.py seals them. None once erased."""
    return mapped_column(Sealed, info={"class": "sealed"})


def index(*given: Any, **more: Any) -> MappedColumn[Any]:
    """A keyed digest of a secret or an address, to find a row by; it can't be read back."""
    return mapped_column(*given, info={"class": "index"}, **more)


class Inbox(Base):
    """Every event that was taken, so that the same one is never taken twice."""

    __tablename__ = "inbox"
    __kept__ = "inbox_key"

    key: Mapped[str] = plain(primary_key=True)
    """Channel and the channel's own id of the event."""
    received_at: Mapped[datetime] = plain(index=True)
    conversation: Mapped[str | None] = plain()
    """Which conversation it moved, so that a repeat can be shown the same."""
    dead: Mapped[bool] = plain(default=False)
    """It could not be processed; `raw` keeps it for staff."""
    raw: Mapped[bytes | None] = sealed()
    """What arrived, for dead letters only. Owner: dead."""
    reason: Mapped[str | None] = plain()
    """Why it could not be processed: an error's name, never its text."""


class Sender(Base):
    """Someone at the door: a Telegram chat or a browser. No name."""

    __tablename__ = "sender"
    __kept__ = "sender"

    address: Mapped[str] = plain(primary_key=True)
    """`telegram:<chat>` or `web:<hash of the browser's key>`."""
    over_16_at: Mapped[datetime | None] = plain()
    """When they said they are 16 or over (asked on Telegram only)."""
    current: Mapped[str | None] = plain()
    """The conversation that unaddressed messages belong to."""
    last_order: Mapped[int | None] = plain(sa.BigInteger)
    """The newest event's number in the channel's own order, to know a late one."""
    blocked_at: Mapped[datetime | None] = plain()
    """When they blocked the bot; nothing is sent after that."""
    seen_at: Mapped[datetime] = plain(index=True)


class ConversationRow(Base):
    """One conversation. Its words are in `state`. Owner of what is sealed: conversation."""

    __tablename__ = "conversation"
    __kept__ = "unfinished_conversation"

    id: Mapped[str] = plain(primary_key=True)
    sender: Mapped[str] = plain(index=True)
    flow: Mapped[str] = plain()
    adds_to: Mapped[str | None] = plain()
    """The submission that what is said here will be added to."""
    state: Mapped[bytes | None] = sealed()
    """The answers and little else (bot/conversation/state.py)."""
    revision: Mapped[int] = plain()
    """Compare-and-swap: a save names the revision it read."""
    status: Mapped[str] = plain()
    resume_key: Mapped[str | None] = index(unique=True)
    """Digest of the code that opens it in another browser."""
    return_code: Mapped[bytes | None] = sealed()
    """What opens what was sent: shown to the sender for as long as the conversation is kept."""
    started_at: Mapped[datetime] = plain()
    changed_at: Mapped[datetime] = plain(index=True)


class Outbox(Base):
    """What is to be said to a sender, until it has been."""

    __tablename__ = "outbox"
    __kept__ = "letter"
    __table_args__ = (sa.Index("ix_outbox_due", "state", "due_at"),)

    id: Mapped[int] = plain(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    key: Mapped[str] = plain(unique=True)
    """The inbox key and a number, or the reply it carries: said once."""
    sender: Mapped[str] = plain(index=True)
    payload: Mapped[bytes | None] = sealed()
    """What to say, as the channel needs it. Owner: letter."""
    state: Mapped[str] = plain()
    """queued, carried (in the webhook's own response), sent, unknown, failed or blocked."""
    due_at: Mapped[datetime] = plain()
    tries: Mapped[int] = plain(default=0)
    made_at: Mapped[datetime] = plain()
    done_at: Mapped[datetime | None] = plain()


class Alert(Base):
    """Someone may be unsafe: seen by staff even if nothing is ever sent."""

    __tablename__ = "alert"
    __kept__ = "with submission"
    __table_args__ = (sa.UniqueConstraint("conversation", "question", "mark"),)

    id: Mapped[str] = plain(primary_key=True)
    conversation: Mapped[str] = plain()
    question: Mapped[str] = plain()
    mark: Mapped[str] = plain()
    """What sets it apart from others to the same question: its urgency where a choice told, or a
    keyed digest of the words, so that the same words call once."""
    words: Mapped[bytes | None] = sealed()
    """What was written, if words told; kept though the answer be changed. Owner: alert."""
    urgency: Mapped[str] = plain()
    category: Mapped[str] = plain()
    raised_at: Mapped[datetime] = plain(index=True)
    submission: Mapped[str | None] = plain(sa.ForeignKey("submission.id"))
    """Where it went, once the person sent their answers."""
    taken_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """Who said that they are looking at it; until somebody does, staff are called."""
    taken_at: Mapped[datetime | None] = plain()
    told: Mapped[list[str] | None] = plain()
    """Whom they told: keys of content/policy/alerts.yaml."""
    told_at: Mapped[datetime | None] = plain()
    proposed_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """Who says that no further action is needed; it takes a second person to agree."""
    proposed_at: Mapped[datetime | None] = plain()
    seen_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """Who settled it: said what was done, or agreed that nothing need be."""
    seen_at: Mapped[datetime | None] = plain()
    action: Mapped[bytes | None] = sealed()
    """What was done about it, or why nothing need be. Owner: alert."""


class Call(Base):
    """Staff are called to an alert, or it is tried out whether they can be: a letter without words,
    until it went out."""

    __tablename__ = "call"
    __kept__ = "call"
    __table_args__ = (
        sa.Index("ix_call_due", "state", "due_at"),
        sa.UniqueConstraint("alert", "rota", "round", "place", "whom"),
    )

    id: Mapped[str] = plain(primary_key=True)
    alert: Mapped[str | None] = plain(index=True)
    """None for a test. No foreign key: that we called outlives what we called about."""
    urgency: Mapped[str] = plain()
    """urgent, concern or test: which letter it is."""
    rota: Mapped[str] = plain()
    """Which list they stand on: duty, out-of-hours or test."""
    round: Mapped[int] = plain()
    """How often the list was gone through before."""
    place: Mapped[int] = plain()
    """Their place on the list, from 0."""
    whom: Mapped[str] = plain()
    """`staff:<id>`, `address:<of the authority's content>` or `channel:<number of the setting>`."""
    state: Mapped[str] = plain()
    """queued, sent, failed or dropped (somebody looked before it went out)."""
    fault: Mapped[str | None] = plain()
    """Why the last try failed, as a code (bot/calling)."""
    tries: Mapped[int] = plain(default=0)
    made_at: Mapped[datetime] = plain(index=True)
    due_at: Mapped[datetime] = plain()
    tried_at: Mapped[datetime | None] = plain()
    """When it was last taken out to be sent."""
    done_at: Mapped[datetime | None] = plain()


class SubmissionRow(Base):
    """One thing that was sent, and where its handling stands. Owner: submission."""

    __tablename__ = "submission"
    __kept__ = "submission"
    __table_args__ = (sa.Index("ix_submission_queue", "status", "rank", "reply_due", "id"),)

    id: Mapped[str] = plain(primary_key=True)
    """A function of conversation and revision: the same sending is the same record."""
    reference: Mapped[str] = plain(unique=True)
    handle: Mapped[str] = plain()
    """Two words that stand for the child on lists and shared screens."""
    conversation: Mapped[str] = plain()
    adds_to: Mapped[str | None] = plain(index=True)
    """The submission it was added to, which is never itself an addition; none once that is gone."""
    sender: Mapped[str] = plain(index=True)
    channel: Mapped[str] = plain()
    authority: Mapped[str] = plain()
    flow: Mapped[str] = plain()
    kind: Mapped[str] = plain()
    title: Mapped[str] = plain()
    sender_role: Mapped[str] = plain()
    """Who is writing, in the flow's own words."""
    topic: Mapped[str | None] = plain()
    """What it is about, in the flow's own words."""
    language: Mapped[str] = plain()
    payload: Mapped[bytes | None] = sealed()
    """Every answer beside its question as asked."""
    priority: Mapped[str] = plain()
    rank: Mapped[int] = plain()
    """The priority as a number, for ordering."""
    reasons: Mapped[list[str]] = plain()
    """Why it has this priority: chips."""
    status: Mapped[str] = plain()
    owner: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    team: Mapped[str | None] = plain()
    """The owner's, at the time they became it."""
    restricted: Mapped[bool] = plain(default=False)
    """Only for its owner, whom it is shared with, and the headteacher."""
    changed_at: Mapped[datetime] = plain()
    """When anything last came of it that staff would want to look at."""
    received_at: Mapped[datetime] = plain()
    reply_due: Mapped[datetime] = plain()
    replied_at: Mapped[datetime | None] = plain()
    unread: Mapped[bool] = plain(default=True)
    """Nobody has opened it since it arrived."""
    return_key: Mapped[str] = index(unique=True)
    """Digest of reference and return code together."""
    version: Mapped[int] = plain(default=1)
    """Compare-and-swap for staff."""
    closed_at: Mapped[datetime | None] = plain(index=True)
    """What the time it is kept is counted from; none while it is open."""
    kept_until: Mapped[datetime | None] = plain()
    """The headteacher said: not to go before then."""
    warned_at: Mapped[datetime | None] = plain()
    """Since when staff are told that it will go."""


class SubmissionLink(Base):
    """A submission shared with a colleague by name."""

    __tablename__ = "submission_link"
    __kept__ = "with submission"

    submission: Mapped[str] = plain(sa.ForeignKey("submission.id"), primary_key=True)
    staff: Mapped[str] = plain(sa.ForeignKey("staff.id"), primary_key=True, index=True)
    by: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    at: Mapped[datetime] = plain()
    until: Mapped[datetime | None] = plain()
    """Until someone stops it, if none."""


class AccessGrant(Base):
    """Someone opened a submission outside their caseload, and said why. Owner: desk."""

    __tablename__ = "access_grant"
    __kept__ = "with submission"
    __table_args__ = (sa.Index("ix_access_grant_held", "submission", "staff", "until"),)

    id: Mapped[str] = plain(primary_key=True)
    submission: Mapped[str] = plain(sa.ForeignKey("submission.id"))
    staff: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    kind: Mapped[str] = plain()
    """`reason`, or `glass`: it was restricted, and they broke the glass."""
    purpose: Mapped[str] = plain()
    """Which of the reasons offered."""
    reason: Mapped[bytes | None] = sealed()
    """Why, in their words."""
    given_at: Mapped[datetime] = plain()
    until: Mapped[datetime] = plain()
    seen_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """The headteacher who took note of it; asked for broken glass only."""
    seen_at: Mapped[datetime | None] = plain()


class Attachment(Base):
    """A picture, voice note or document that somebody added to an answer. No name of theirs."""

    __tablename__ = "attachment"
    __kept__ = "attachment"

    id: Mapped[str] = plain(primary_key=True)
    conversation: Mapped[str] = plain(index=True)
    submission: Mapped[str | None] = plain(sa.ForeignKey("submission.id"), index=True)
    """What it was sent with; as long as nothing was sent, it goes with its conversation."""
    question: Mapped[str] = plain()
    kind: Mapped[str] = plain()
    """picture, voice or document."""
    media_type: Mapped[str] = plain()
    """What it was found to be, and cleaned as; never what was claimed."""
    size: Mapped[int] = plain()
    """Bytes, unsealed."""
    content: Mapped[bytes | None] = sealed()
    """The file itself. Owner: conversation, and once sent, submission."""
    scan: Mapped[str] = plain(index=True)
    """unscanned, pending, clean, suspect or error (bot/files/scanning.py)."""
    made_at: Mapped[datetime] = plain()
    place: Mapped[int] = plain()
    """Its place among the files of its submission, from 1."""


class Note(Base):
    """Staff to staff. There is no way from here to a sender. Owner: desk."""

    __tablename__ = "note"
    __kept__ = "with submission"

    id: Mapped[str] = plain(primary_key=True)
    submission: Mapped[str] = plain(sa.ForeignKey("submission.id"), index=True)
    author: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    text: Mapped[bytes | None] = sealed()
    written_at: Mapped[datetime] = plain()


class Reply(Base):
    """Staff to the sender. How far it got is its outbox row's state. Owner: submission."""

    __tablename__ = "reply"
    __kept__ = "with submission"

    id: Mapped[str] = plain(primary_key=True)
    submission: Mapped[str] = plain(sa.ForeignKey("submission.id"), index=True)
    author: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    text: Mapped[bytes | None] = sealed()
    written_at: Mapped[datetime] = plain()
    read_at: Mapped[datetime | None] = plain()
    """When the sender opened it with the return code."""


class Hold(Base):
    """It must not go: a court, an inquiry or a complaint may need it. Owner: desk."""

    __tablename__ = "hold"
    __kept__ = "with submission"

    id: Mapped[str] = plain(primary_key=True)
    submission: Mapped[str] = plain(sa.ForeignKey("submission.id"), index=True)
    placed_by: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    placed_at: Mapped[datetime] = plain()
    reason: Mapped[bytes | None] = sealed()
    lifted_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    lifted_at: Mapped[datetime | None] = plain()
    """None while it holds."""
    lifted_because: Mapped[bytes | None] = sealed()


class PersonRequest(Base):
    """A person asks for a copy, a correction or a deletion. Owner: request."""

    __tablename__ = "person_request"
    __kept__ = "person_request"

    id: Mapped[str] = plain(primary_key=True)
    kind: Mapped[str] = plain()
    """copy, correction or deletion."""
    submission: Mapped[str | None] = plain(sa.ForeignKey("submission.id"), index=True)
    """What it is about; none once that is gone."""
    channel: Mapped[str] = plain()
    """How it reached us: web, telegram or staff."""
    entered_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """Who wrote it down, where the person asked somebody of the team."""
    words: Mapped[bytes | None] = sealed()
    """What they asked, in their words; none where a button says it all."""
    state: Mapped[str] = plain(index=True)
    """open, proposed, done or refused."""
    made_at: Mapped[datetime] = plain()
    due_at: Mapped[datetime] = plain()
    """One month, as the law gives."""
    proposed_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    proposed_at: Mapped[datetime | None] = plain()
    proposal: Mapped[bytes | None] = sealed()
    """Why to delete it, or what of the copy is held back and why."""
    decided_by: Mapped[str | None] = plain(sa.ForeignKey("staff.id"))
    """For a deletion and a full copy never the one who proposed it."""
    decided_at: Mapped[datetime | None] = plain()
    receipt: Mapped[str | None] = plain(sa.ForeignKey("receipt.id"))


class Receipt(Base):
    """Something was removed for good: what kind of thing, when, why and by whom; nothing of it."""

    __tablename__ = "receipt"
    __kept__ = "receipt"

    id: Mapped[str] = plain(primary_key=True)
    kind: Mapped[str] = plain()
    """submission or conversation."""
    objects: Mapped[list[str]] = index()
    """Digests of its id and its conversation's: to remove them if a backup brings them back."""
    return_key: Mapped[str | None] = index(index=True)
    """As it was in submission: whoever has its code can be told that it is gone."""
    why: Mapped[str] = plain()
    """period, request, sender or restored."""
    at: Mapped[datetime] = plain(index=True)
    by: Mapped[str] = plain()
    """A staff id, `sender` or `waymark`."""
    second: Mapped[str | None] = plain()
    """The other member of staff, where it takes two."""
    removed: Mapped[dict[str, Any]] = plain()
    """Table -> how many rows."""
    stayed: Mapped[dict[str, Any]] = plain()
    """Table -> how many rows that name it by an id only."""
    backups_forget_by: Mapped[datetime] = plain()


class FactDecision(Base):
    """Somebody said whether a row of content may be told as fact. The newest of a row counts."""

    __tablename__ = "fact_decision"
    __kept__ = "fact_decision"
    __table_args__ = (sa.Index("ix_fact_decision_kind", "kind", "row", "at"),)

    id: Mapped[str] = plain(primary_key=True)
    kind: Mapped[str] = plain()
    """entitlement, helpline or answer."""
    row: Mapped[str] = plain()
    """Its id in the content."""
    digest: Mapped[str] = plain()
    """Of what the row said then: a confirmation is of that, and of nothing written since."""
    verdict: Mapped[str] = plain()
    """confirmed, taken-down or restored."""
    by: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    at: Mapped[datetime] = plain()
    source: Mapped[str | None] = published()
    """Confirmed: the title of what it was read in, by whom that is published, and where."""
    publisher: Mapped[str | None] = published()
    address: Mapped[str | None] = published()
    review_by: Mapped[date | None] = plain()
    """Confirmed: to be looked at again by then."""
    note: Mapped[bytes | None] = sealed()
    """How they know, or why they did it. Owner: fact."""


class Duty(Base):
    """A job that one process at a time does, and when it was last done."""

    __tablename__ = "duty"
    __kept__ = "with its owner"

    name: Mapped[str] = plain(primary_key=True)
    taken_until: Mapped[datetime] = plain()
    """Nobody else begins it before then."""
    done_at: Mapped[datetime | None] = plain()
    left: Mapped[int] = plain(default=0)
    """How many things it could not do."""


class Staff(Base):
    """A member of the Virtual School team."""

    __tablename__ = "staff"
    __kept__ = "staff"

    id: Mapped[str] = plain(primary_key=True)
    name: Mapped[str] = plain()
    email: Mapped[str] = plain(unique=True)
    """What a local account signs in with. Of a council account its name there, only shown."""
    role: Mapped[str] = plain()
    team: Mapped[str] = plain(default=FIRST_TEAM)
    subject: Mapped[str | None] = plain(unique=True, index=True)
    """Who they are to the council's own sign-in; none for a local account."""
    emergency: Mapped[bool] = plain(default=False)
    """A local account kept for the day when the council's own sign-in fails."""
    password_hash: Mapped[str | None] = index()
    """argon2id; none for an account that can't sign in with a password."""
    totp: Mapped[bytes | None] = sealed()
    """The secret of their authenticator app. Owner: staff."""
    totp_step: Mapped[int | None] = plain(sa.BigInteger)
    """The newest half minute whose code was taken: none is taken twice."""
    active: Mapped[bool] = plain(default=True)
    off_because: Mapped[str | None] = plain()
    """Why it is switched off: headteacher, unused or no-role."""
    made_at: Mapped[datetime] = plain()
    signed_in_at: Mapped[datetime | None] = plain()
    idle_from: Mapped[datetime | None] = plain()
    """What being unused is counted from: signed in, switched on or given a way in."""
    off_at: Mapped[datetime | None] = plain()
    """Since when it is switched off."""


class StaffSession(Base):
    """A signed-in browser. The row is the session: delete it and they are out."""

    __tablename__ = "staff_session"
    __kept__ = "staff_session"

    key: Mapped[str] = index(primary_key=True)
    """Digest of the cookie."""
    staff: Mapped[str] = plain(sa.ForeignKey("staff.id"), index=True)
    role: Mapped[str] = plain()
    """As it was at sign-in; once it is another one, the session is over."""
    csrf: Mapped[str] = index()
    """The token of this session's forms; of no use without the cookie."""
    how: Mapped[str] = plain()
    """password, link or council."""
    browser: Mapped[str] = plain()
    """Its kind in plain words."""
    offered: Mapped[bytes | None] = sealed()
    """The secret an app is being told, until its first code confirms it. Owner: staff."""
    started_at: Mapped[datetime] = plain()
    seen_at: Mapped[datetime] = plain()
    proved_at: Mapped[datetime | None] = plain()
    """When they last gave all that proves who they are; none while a code is still asked for."""


class RecoveryCode(Base):
    """Opens an account once for someone whose phone is gone."""

    __tablename__ = "recovery_code"
    __kept__ = "with staff"

    key: Mapped[str] = index(primary_key=True)
    """Digest of account and code together."""
    staff: Mapped[str] = plain(sa.ForeignKey("staff.id"), index=True)


class SignInLink(Base):
    """A one-time way in: for a new account, a forgotten password, and the demo."""

    __tablename__ = "sign_in_link"
    __kept__ = "sign_in_link"

    key: Mapped[str] = index(primary_key=True)
    """Digest of the link's token."""
    staff: Mapped[str] = plain(sa.ForeignKey("staff.id"))
    expires_at: Mapped[datetime] = plain()


class Attempt(Base):
    """A failed try at something guarded by a secret, for slowing the next ones down."""

    __tablename__ = "attempt"
    __kept__ = "attempt"
    __table_args__ = (sa.Index("ix_attempt_what_at", "what", "at"),)

    id: Mapped[int] = plain(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    what: Mapped[str] = index()
    """`sign-in:<hash of the address>` or `return-code:<hash of the browser's place>`."""
    at: Mapped[datetime] = plain()


class Audit(Base):
    """What was done, by whom, to what: codes only, each line bound to the one before it."""

    __tablename__ = "audit"
    __kept__ = "audit"
    __table_args__ = (sa.Index("ix_audit_action_at", "action", "at"),)

    seq: Mapped[int] = plain(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    """Without a gap: given just before the commit, the head being locked."""
    at: Mapped[datetime] = plain()
    actor: Mapped[str] = plain()
    """A staff id, `sender`, `waymark`, or `nobody` for someone who isn't signed in."""
    acting_as: Mapped[str | None] = plain()
    """Their role at the time; none for those who are no staff."""
    action: Mapped[str] = plain()
    object_type: Mapped[str] = plain()
    object_id: Mapped[str] = plain(index=True)
    purpose: Mapped[str | None] = plain()
    """Why, as a code."""
    outcome: Mapped[str] = plain()
    """done or refused."""
    request_id: Mapped[str | None] = plain()
    """The HTTP request, as the log names it too."""
    detail: Mapped[dict[str, Any]] = plain()
    """Ids, statuses and counts; never names or words."""
    key: Mapped[str] = plain()
    """Which key it is signed with."""
    prev: Mapped[str] = plain()
    """The MAC of the line before."""
    mac: Mapped[str] = plain()


class AuditHead(Base):
    """One row: where the log ends. Locked while lines are added."""

    __tablename__ = "audit_head"
    __kept__ = "with audit"

    id: Mapped[int] = plain(primary_key=True, autoincrement=False)
    seq: Mapped[int] = plain(sa.BigInteger)
    last: Mapped[str] = plain()
    """The MAC of the last line."""
    key: Mapped[str | None] = plain()
    mac: Mapped[str | None] = plain()
    """None before the first line."""


class AuditSegment(Base):
    """What is left of lines that were removed by age: enough to verify from there."""

    __tablename__ = "audit_segment"
    __kept__ = "with audit"

    last: Mapped[int] = plain(sa.BigInteger, primary_key=True, autoincrement=False)
    first: Mapped[int] = plain(sa.BigInteger)
    count: Mapped[int] = plain(sa.BigInteger)
    prev: Mapped[str] = plain()
    """What the first line followed."""
    last_mac: Mapped[str] = plain()
    """What the first line still kept follows."""
    cut_at: Mapped[datetime] = plain()
    key: Mapped[str] = plain()
    mac: Mapped[str] = plain()


class AuditCheck(Base):
    """When the log was last anchored and verified, and what came of it; for staff to see."""

    __tablename__ = "audit_check"
    __kept__ = "with audit"

    name: Mapped[str] = plain(primary_key=True)
    """anchored or verified."""
    tried_at: Mapped[datetime] = plain()
    done_at: Mapped[datetime | None] = plain()
    """When it last went well."""
    seq: Mapped[int | None] = plain(sa.BigInteger)
    """As far as which line, when it last went well."""
    fault: Mapped[str | None] = plain()
    """What went wrong the last time: a kind and a line's number, or an error's name."""


class DataKey(Base):
    """A key that words are sealed with, itself wrapped for one reader (bot/keyring.py). Without
    it nobody can open them: deleting the row erases."""

    __tablename__ = "data_key"
    __kept__ = "with its owner"

    owner: Mapped[str] = plain(primary_key=True)
    """Whose words: a kind and an id, as in `conversation:5f3c`."""
    reader: Mapped[str] = plain(primary_key=True)
    """`talk`, `case` or `sender`."""
    kek: Mapped[str] = plain(index=True)
    """Which key wraps it."""
    wrapped: Mapped[bytes] = index(sa.LargeBinary)
