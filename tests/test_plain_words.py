"""Plain, kind, British words: the rules that content is held to, each with what breaks it."""

import pytest

from content import plain_words
from content.schema import Audience, Question

ADULT, CHILD = Audience.ADULT, Audience.CHILD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Is this about a LAC pupil?", "says 'LAC' to a sender: say children in care"),
        ("A Looked-After Child", "says 'Looked-After Child' to a sender: say child in care"),
        ("a new placement", "says 'placement' to a sender: say home, or where you live"),
        ("They absconded.", "says 'absconded' to a sender: say went missing"),
        ("a NEET young person", "says 'NEET' to a sender: say not in work or training right now"),
        ("What is your favorite color?", "says 'color': say colour"),
        ("ring a counselor", "says 'counselor': say counsellor, counselling"),
        ("PLEASE DO NOT write names", "shouts 'PLEASE'"),
    ],
)
def test_words_to_avoid_are_found_and_what_to_say_instead(text, told):
    assert told in list(plain_words.unkind(text, ADULT))


@pytest.mark.parametrize(
    "text",
    [
        "Who is your class teacher? What colour is your behaviour chart? Call CAMHS or the SENCO.",
        "A lack of sleep. They replaced it. You were neat. The NSPCC and UCAS can help.",
        "Ring 999 now. GCSEs, A levels, BTEC and an EHCP.",
    ],
)
def test_words_that_only_look_like_them_are_left_alone(text):
    assert list(plain_words.unkind(text, ADULT)) == []


def test_some_words_are_for_adults_only():
    said = "Is the child suspended or excluded?"
    assert list(plain_words.unkind(said, ADULT)) == []
    assert list(plain_words.unkind(said, CHILD)) == [
        "says 'excluded' to a sender: say suspended, or not allowed in"
    ]


def test_reading_age_rises_with_long_words_and_long_sentences():
    plain = "How do you feel at school this week? You can pick a face. You can skip this too."
    plain += " What went well? Tell us about one good day."
    heavy = (
        "Please characterise the multidisciplinary interventions that have been implemented "
        "following identification of additional educational requirements, including communication "
        "difficulties and developmental considerations."
    )
    assert plain_words.reading_age(plain) < 7
    assert plain_words.reading_age(heavy) > 16
    assert plain_words.reading_age("Too few words to say.") is None


def question(help_: str | None) -> Question:
    asked = {"id": "good", "type": "text", "text": "What is good?", "long": True, "help": help_}
    return Question.model_validate(asked)


def test_a_child_who_may_write_at_length_is_told_what_to_leave_out():
    says = plain_words.says_what_to_leave_out
    assert not says(question(None))
    assert not says(question("Say as much as you like."))
    assert says(question("Please don't write other children's names."))
    assert says(question("You don't have to say what it is."))
