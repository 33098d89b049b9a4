"""The council's own scanner asked about a file: a command that is given it on standard input."""

from __future__ import annotations

import asyncio
import logging
import shlex
from enum import StrEnum

PATIENCE = 20.0
"""Seconds for one file: its sender may be waiting."""
_CLEAN, _FOUND = 0, 1
_at_once = asyncio.Semaphore(2)

log = logging.getLogger("waymark.files")


class ScanState(StrEnum):
    """What is known of a kept file."""

    UNSCANNED = "unscanned"
    """No scanner is set up."""
    PENDING = "pending"
    """The scanner has not answered yet; it is asked again."""
    CLEAN = "clean"
    SUSPECT = "suspect"
    ERROR = "error"
    """The scanner gave no answer for so long that a person must look."""


async def scan(command: str | None, content: bytes) -> ScanState:
    """Clean or suspect; unscanned where there is no scanner; pending where it gave no answer.

    Exit status 0 means clean and 1 found, as `clamdscan -` has it.
    """
    if command is None:
        return ScanState.UNSCANNED
    try:
        async with _at_once:
            status = await _asked(shlex.split(command), content)
    except (OSError, TimeoutError) as error:
        log.error("the scanner gave no answer", extra={"error": type(error).__name__})
        return ScanState.PENDING
    if status in (_CLEAN, _FOUND):
        return ScanState.CLEAN if status == _CLEAN else ScanState.SUSPECT
    log.error("the scanner failed", extra={"status": status})
    return ScanState.PENDING


async def _asked(command: list[str], content: bytes) -> int | None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await process.communicate(content)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode
