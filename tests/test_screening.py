"""What words tell: measured, quick, and why."""

import json
import subprocess
import sys

import pytest

from bot.safeguarding import Screening
from content.schema import Phrase, Urgency
from tests.drivers.waymark import CONTENT
from tests.screening import measure

LEAST = {"urgent, noticed": 0.82, "urgent or concern, noticed": 0.78}
MOST = {"hard negatives, noticed": 0.13, "ordinary, noticed": 0.20}
"""What docs/safeguarding-screening.md says, or a little worse. What is asked is far better."""


@pytest.fixture(scope="module")
def screening():
    return Screening(CONTENT.screening)


def test_the_figures_do_not_drop():
    shares = {name: hits / of for name, (hits, of) in measure.figures().items()}
    assert all(shares[name] >= least for name, least in LEAST.items()), shares
    assert all(shares[name] <= most for name, most in MOST.items()), shares


def test_a_text_takes_milliseconds(screening):
    usual, _ = measure.milliseconds()
    assert usual < 5


@pytest.mark.parametrize(
    "text",
    [
        "i dont like it when he comes in my room",
        "she locks me in",
        "they make me carry stuff for them",
        "i want to kill myself",
        "my step dad hits me",
    ],
)
def test_what_has_hardly_a_telling_word_is_heard(screening, text):
    assert screening.screen(text).urgency is Urgency.URGENT


@pytest.mark.parametrize(
    "text", ["", " ", "?", "i like maths", "Can we have a laptop for homework please?", "nothing"]
)
def test_ordinary_words_tell_nothing(screening, text):
    assert screening.screen(text) is None


@pytest.mark.parametrize("text", ["\0", "\ud800", "a" * 50_000, "🙂" * 5000, "hits me " * 2000])
def test_odd_words_break_nothing(screening, text):
    screening.screen(text)


def test_a_councils_own_phrase_is_heard_and_is_the_reason():
    phrase = Phrase(phrase="at the old mill", urgency=Urgency.URGENT, category="exploitation")
    own = CONTENT.screening.model_copy(update={"phrases": (phrase,)})
    found = Screening(own).screen("we was at the Old Mill, again")
    assert (found.urgency, found.category) == (Urgency.URGENT, "exploitation")
    assert "at the old mill" in found.reasons
    assert Screening(own).screen("the mill is old") is None


def test_the_command_answers_line_by_line():
    lines = b'{"id": 1, "text": "she locks me in"}\nnonsense\n{"id": 2, "text": "i like art"}\n'
    command = [sys.executable, "-c", "from web.cli import main; main()", "screen"]
    done = subprocess.run(command, input=lines, capture_output=True, check=True)
    first, broken, last = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["label"]) == (1, "urgent")
    assert first["category"] in CONTENT.screening.categories
    assert first["reasons"]
    assert "error" in broken
    assert last == {"id": 2, "label": "none", "category": None, "reasons": []}


def test_every_category_the_model_knows_has_a_name(screening):
    assert set(screening._model._categories) <= set(CONTENT.screening.categories)
