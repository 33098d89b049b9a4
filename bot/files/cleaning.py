"""A file handed to the bench (bench.py) and back: a few at a time, each for a limited time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from bot.files.unfit import Unfit, broken
from content.schema import FileKind

LARGEST = 10 * 1024 * 1024
"""Bytes of a file of any kind."""
PATIENCE = 30.0
"""Seconds for one file, waiting for nothing else."""
_LARGEST_ANSWER = LARGEST + 64 * 1024
_ROOT = Path(__file__).parent.parent.parent
_BEGIN = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
    "from bot.files import bench; bench.main(sys.argv[1])"
)
_at_once = asyncio.Semaphore(2)

log = logging.getLogger("waymark.files")


@dataclass(frozen=True)
class Cleaned:
    """A file as it may be kept."""

    kind: FileKind
    media_type: str
    content: bytes = field(repr=False)


async def clean(content: bytes, accepts: Collection[FileKind]) -> Cleaned:
    """Raises Unfit. Neither a name nor a declared type is asked for: they prove nothing."""
    if not content:
        raise Unfit("file-empty")
    if len(content) > LARGEST:
        raise Unfit("file-too-big", {"most": str(LARGEST // 1024 // 1024)})
    async with _at_once:
        head, _, kept = (await _worked_on(content, accepts)).partition(b"\n")
    answer = json.loads(head)
    if "unfit" in answer:
        raise Unfit(answer["unfit"], answer["gaps"])
    return Cleaned(FileKind(answer["kind"]), answer["media_type"], kept)


async def _worked_on(content: bytes, accepts: Collection[FileKind]) -> bytes:
    process = await asyncio.create_subprocess_exec(
        # -I: nothing of the environment or the folder we were started in has a say in it.
        sys.executable, "-I", "-c", _BEGIN, ",".join(sorted(accepts)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # an error's text may hold some of the file
        env={},
    )  # fmt: skip
    status: int | None = None
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await _talk(process, content)
            if len(answer) <= _LARGEST_ANSWER:
                status = await process.wait()
    except TimeoutError:
        log.warning("a file took too long")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # what it still had to say, or it would never be over
    if status != 0:
        log.warning("a file could not be worked on", extra={"status": status})
        raise broken()
    return answer


async def _talk(process: asyncio.subprocess.Process, content: bytes) -> bytes:
    assert process.stdin
    assert process.stdout
    with contextlib.suppress(ConnectionError):  # it died while reading; its status says so
        process.stdin.write(content)
        await process.stdin.drain()
        process.stdin.close()
    answer = b""
    while len(answer) <= _LARGEST_ANSWER and (more := await process.stdout.read(1 << 20)):
        answer += more
    return answer
