"""The tables. The line under each column says what it holds, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

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


class Inbox(Base):
    """Every event that was taken, so that the same one is never taken twice."""

    __tablename__ = "inbox"

    key: Mapped[str] = mapped_column(primary_key=True)
    """Channel and the channel's own id of the event."""
    received_at: Mapped[datetime] = mapped_column(index=True)
    conversation: Mapped[str | None]
    """Which conversation it moved, so that a repeat can be shown the same."""
    dead: Mapped[bool] = mapped_column(default=False)
    """It could not be processed; `raw` keeps it for staff."""
    raw: Mapped[str | None]
    """What arrived, for dead letters only. Words."""
    reason: Mapped[str | None]
    """Why it could not be processed: an error's name, never its text."""


class Sender(Base):
    """Someone at the door: a Telegram chat or a browser. No name."""

    __tablename__ = "sender"

    address: Mapped[str] = mapped_column(primary_key=True)
    """`telegram:<chat>` or `web:<hash of the browser's key>`."""
    over_16_at: Mapped[datetime | None]
    """When they said they are 16 or over (asked on Telegram only)."""
    current: Mapped[str | None]
    """The conversation that unaddressed messages belong to."""
    last_order: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The newest event's number in the channel's own order, to know a late one."""
    blocked_at: Mapped[datetime | None]
    """When they blocked the bot; nothing is sent after that."""
    seen_at: Mapped[datetime] = mapped_column(index=True)


class ConversationRow(Base):
    """One conversation. Its words are in `state`."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(index=True)
    flow: Mapped[str]
    state: Mapped[dict[str, Any]]
    """The answers and little else (bot/conversation/state.py). Words."""
    revision: Mapped[int]
    """Compare-and-swap: a save names the revision it read."""
    status: Mapped[str]
    resume_key: Mapped[str | None] = mapped_column(unique=True)
    """Hash of the code that opens it in another browser."""
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Outbox(Base):
    """What is to be said to a sender, until it has been."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_due", "state", "due_at"),)

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    )
    key: Mapped[str] = mapped_column(unique=True)
    """The inbox key and a number, or the reply it carries: said once."""
    sender: Mapped[str] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]
    """What to say, as the channel needs it. Words."""
    state: Mapped[str]
    """queued, carried (in the webhook's own response), sent, unknown, failed or blocked."""
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Alert(Base):
    """Someone may be unsafe: seen by staff even if nothing is ever sent."""

    __tablename__ = "alert"
    __table_args__ = (sa.UniqueConstraint("conversation", "question"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation: Mapped[str]
    question: Mapped[str]
    urgency: Mapped[str]
    category: Mapped[str]
    raised_at: Mapped[datetime] = mapped_column(index=True)
    submission: Mapped[str | None] = mapped_column(sa.ForeignKey("submission.id"))
    """Where it went, once the person sent their answers."""
    seen_by: Mapped[str | None] = mapped_column(sa.ForeignKey("staff.id"))
    seen_at: Mapped[datetime | None]
    action: Mapped[str | None]
    """What was done about it. Words."""


class SubmissionRow(Base):
    """One thing that was sent, and where its handling stands."""

    __tablename__ = "submission"
    __table_args__ = (sa.Index("ix_submission_queue", "status", "rank", "reply_due", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    """A function of conversation and revision: the same sending is the same record."""
    reference: Mapped[str] = mapped_column(unique=True)
    handle: Mapped[str]
    """Two words that stand for the child on lists and shared screens."""
    conversation: Mapped[str]
    sender: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    authority: Mapped[str]
    flow: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    sender_role: Mapped[str]
    """Who is writing, in the flow's own words."""
    topic: Mapped[str | None]
    """What it is about, in the flow's own words."""
    payload: Mapped[dict[str, Any]]
    """Every answer beside its question as asked. Words."""
    priority: Mapped[str]
    rank: Mapped[int]
    """The priority as a number, for ordering."""
    reasons: Mapped[list[str]]
    """Why it has this priority: chips."""
    status: Mapped[str]
    owner: Mapped[str | None] = mapped_column(sa.ForeignKey("staff.id"))
    received_at: Mapped[datetime]
    reply_due: Mapped[datetime]
    replied_at: Mapped[datetime | None]
    unread: Mapped[bool] = mapped_column(default=True)
    """Nobody has opened it since it arrived."""
    return_key: Mapped[str] = mapped_column(unique=True)
    """Hash of reference and return code together."""
    version: Mapped[int] = mapped_column(default=1)
    """Compare-and-swap for staff."""


class Note(Base):
    """Staff to staff. There is no way from here to a sender."""

    __tablename__ = "note"

    id: Mapped[str] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    author: Mapped[str] = mapped_column(sa.ForeignKey("staff.id"))
    text: Mapped[str]
    """Words."""
    written_at: Mapped[datetime]


class Reply(Base):
    """Staff to the sender. How far it got is its outbox row's state."""

    __tablename__ = "reply"

    id: Mapped[str] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    author: Mapped[str] = mapped_column(sa.ForeignKey("staff.id"))
    text: Mapped[str]
    """Words."""
    written_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    """When the sender opened it with the return code."""


class Staff(Base):
    """A member of the Virtual School team."""

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    """argon2id; none for an account that can't sign in with a password."""
    active: Mapped[bool] = mapped_column(default=True)
    made_at: Mapped[datetime]


class StaffSession(Base):
    """A signed-in browser. The row is the session: delete it and they are out."""

    __tablename__ = "staff_session"

    key: Mapped[str] = mapped_column(primary_key=True)
    """Hash of the cookie."""
    staff: Mapped[str] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    csrf: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class SignInLink(Base):
    """A one-time way in, printed at start for the demo account."""

    __tablename__ = "sign_in_link"

    key: Mapped[str] = mapped_column(primary_key=True)
    """Hash of the link's token."""
    staff: Mapped[str] = mapped_column(sa.ForeignKey("staff.id"))
    expires_at: Mapped[datetime]


class Attempt(Base):
    """A failed try at something guarded by a secret, for slowing the next ones down."""

    __tablename__ = "attempt"
    __table_args__ = (sa.Index("ix_attempt_what_at", "what", "at"),)

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    )
    what: Mapped[str]
    """`sign-in:<hash of the address>` or `return-code:<hash of the browser's place>`."""
    at: Mapped[datetime]


class Audit(Base):
    """What was done, by whom, to what: ids only, appended in the same transaction."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    )
    at: Mapped[datetime]
    actor: Mapped[str]
    """A staff id, `sender` or `waymark`."""
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    """Ids, statuses and counts; never names or words."""
