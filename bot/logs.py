"""Logs: one JSON object a line, of ids and names of errors; never words, never a secret."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from bot import acting

_TOKEN = re.compile(r"\d{5,}(:|%3A)[A-Za-z0-9_-]{20,}")
"""A Telegram bot's token, as it stands in every address of the Bot API."""
_QUIET = {
    # At debug level these write out what people type: statements, bodies, parameters.
    **dict.fromkeys(
        ("aiosqlite", "alembic", "asyncio", "httpcore", "httpcore2", "httpx", "httpx2", "multipart",
         "psycopg", "python_multipart", "sqlalchemy"),
        logging.WARNING,
    ),
    # At any level: what it could not parse it logs whole, at critical.
    "telegram": 1000,
    # At any level: they name addresses that hold secrets.
    **dict.fromkeys(("apprise", "requests", "urllib3"), 1000),
    "uvicorn": logging.INFO,
}  # fmt: skip
_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def redacted(text: str) -> str:
    return _TOKEN.sub("[token]", text)


class Redacting(logging.Filter):
    """Takes tokens out of whatever is logged, by whomever."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg, record.args = redacted(message), None
        return True


class Lines(logging.Formatter):
    """An error is given by its name and place. Its text may hold what somebody wrote."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request := acting.now().request:
            line["request"] = request
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"error": record.exc_info[0].__name__, "where": place(record.exc_info[2])}
        return redacted(json.dumps(line, default=str))


def place(trace: TracebackType | None) -> str:
    """The file and line an error came from."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


class _Ours(logging.StreamHandler):  # type: ignore[type-arg]
    """Known by its class, so that configuring twice doesn't log twice."""


def configure(level: str) -> None:
    """Log to standard error. Only our own loggers speak below warning."""
    handler = _Ours()
    handler.addFilter(Redacting())
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Ours)]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("waymark").setLevel(level.upper())
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(floor)
