"""The log knows ids, never words: whatever is typed on any channel, at the most talkative level."""

import io
import logging

import pytest

from tests.drivers import people
from tests.drivers.waymark import running

CANARY = "CANARY-in-the-log"


@pytest.mark.parametrize("channel", ["telegram", "chat", "form"])
async def test_nothing_typed_is_in_the_log(channel, tmp_path, caplog):
    written = io.StringIO()
    listening = logging.StreamHandler(written)
    async with running(tmp_path, log_level="debug") as waymark:
        logging.getLogger().addHandler(listening)
        caplog.set_level(logging.DEBUG)
        person = people.on(channel, waymark)
        await person.begin("raise-a-concern")
        for question, value in {
            "danger": "not-now", "harm": "no", "role": "foster-carer", "status": "in-care",
            "council": "us",
        }.items():  # fmt: skip
            await person.choose(question, value)
        await person.say("name", CANARY)
        assert await person.asked() == "reply-by"
        await person.unclear("reply-by", f"{CANARY} again")
        logging.getLogger().removeHandler(listening)
    heard = written.getvalue() + caplog.text
    assert heard, "nothing was listened to"
    assert CANARY not in heard
    assert "a-token" not in heard
