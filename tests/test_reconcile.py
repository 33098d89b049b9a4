"""Content that changes under a person's hands: nothing is lost, and what must be asked again is."""

from dataclasses import replace

import pytest

from bot import underway
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.reconcile import reconcile
from bot.store.models import Audit
from tests.drivers.waymark import CONTENT, SERVED, running, unhurried
from tests.drivers.web import OnForm
from tests.opened import rows
from tests.public import CHILD, CONCERN, answers, plainly
from tests.small import Talk, script

HEAD = """
questions:
  - id: pet
    type: choice
    text: "Which pet?"
    options: [{value: cat, label: Cat}, {value: dog, label: Dog}]
  - {id: name, type: text, text: "What is it called?"}
"""
PET = 'text: "Which pet?"'
LAST = '  - {id: why, type: text, text: "Why that one?"}\n'
BEFORE = HEAD + LAST
NEW = '  - {id: age, type: number, text: "How old is it?", min: 0, max: 30}\n'


def told(upto: str = "why") -> Talk:
    """Someone who has come to this question."""
    talk = Talk(script(BEFORE))
    for question, values in {"pet": ("cat",), "name": ("Tibbles",)}.items():
        if question == upto:
            break
        talk.hears(ev.Answered(question, values=values if question == "pet" else None,
                               text=None if question == "pet" else values[0]))  # fmt: skip
    assert talk.asked == upto
    return talk


def changed(questions: str, talk: Talk):
    """The same person under these questions."""
    anew = replace(script(questions), flow_hash="newer")
    found = reconcile(anew, talk.conversation)
    talk.script, talk.conversation = anew, found.conversation
    talk.hears(ev.Resume())
    return found


def test_new_words_change_nothing():
    talk = told()
    found = changed(BEFORE.replace("Which pet?", "What pet do you have?"), talk)
    assert not found.felt
    assert talk.asked == "why"
    assert talk.conversation.flow_hash == "newer"


def test_another_order_of_choices_changes_nothing():
    talk = told()
    turned = "[{value: dog, label: Dog}, {value: cat, label: Cat}]"
    old = "[{value: cat, label: Cat}, {value: dog, label: Dog}]"
    assert not changed(BEFORE.replace(old, turned), talk).felt


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{value: dog, label: Dog}", "{value: dog, label: Dog}, {value: fish, label: Fish}"),
        (PET, "text: Which pet would you like?\n    edition: 2"),
        ("{value: dog, label: Dog}", "{value: fish, label: Fish}"),
    ],
)
def test_what_asks_something_else_is_asked_again_with_the_old_answer_offered(old, new):
    talk = told()
    found = changed(BEFORE.replace(old, new), talk)
    assert found.again == {"pet"}
    assert talk.asked == "pet"
    assert talk.turn.asking.picked == ("cat",)
    talk.hears(ev.Answered("pet", values=("cat",)))
    assert talk.asked == "why"  # the name is still there
    assert talk.conversation.answers["name"].values == ("Tibbles",)


def test_an_answer_that_is_no_choice_any_more_is_asked_for_and_not_offered():
    talk = told()
    found = changed(BEFORE.replace("{value: cat, label: Cat}", "{value: fish, label: Fish}"), talk)
    assert found.again == {"pet"}
    assert talk.turn.asking.picked == ()
    assert talk.conversation.answers["pet"].values == ("cat",)  # kept until they say another


def test_a_new_question_is_asked_in_its_place():
    talk = told()
    found = changed(HEAD.replace("  - {id: name", f"{NEW}  - {{id: name") + LAST, talk)
    assert found.new
    assert talk.asked == "age"
    talk.hears(ev.Answered("age", text="4"))
    assert talk.asked == "why"


def test_a_new_question_that_is_still_to_come_needs_no_word():
    assert not changed(BEFORE + NEW, told()).felt


def test_a_question_that_is_gone_leaves_its_answer_off_the_path():
    talk = told()
    found = changed(HEAD.split("  - {id: name")[0] + LAST, talk)
    assert found.gone == {"name"}
    assert talk.asked == "why"
    assert talk.conversation.answers["name"].values == ("Tibbles",)


def test_a_button_of_before_does_not_send():
    talk = told()
    talk.hears(ev.Answered("why", text="It purrs."))
    revision = talk.conversation.revision
    changed(BEFORE.replace(PET, f"{PET}\n    edition: 2"), talk)
    talk.hears(ev.Answered("pet", values=("dog",)))
    talk.hears(ev.Submit(revision))
    assert talk.turn.submission is None
    assert talk.says(say.Review)


def test_what_was_answered_before_this_was_kept_is_taken_as_it_is():
    talk = told()
    stored = talk.conversation.dumps()
    for answer in stored["answers"].values():
        del answer["asked"], answer["again"]
    talk.conversation = talk.conversation.loads(stored)
    assert not changed(BEFORE.replace(PET, f"{PET}\n    edition: 2"), talk).felt


def test_of_a_withdrawn_flow_what_was_said_can_be_sent():
    talk = told()
    withdrawn = script(BEFORE)
    withdrawn = replace(
        withdrawn, flow=withdrawn.flow.model_copy(update={"withdrawn": True}), flow_hash="newer"
    )
    found = reconcile(withdrawn, talk.conversation)
    assert found.withdrawn
    talk.script, talk.conversation = withdrawn, found.conversation
    talk.hears(ev.Resume())
    (review,) = talk.says(say.Review)
    assert [step.question.id for step in review.steps] == ["pet", "name"]
    talk.hears(ev.Submit(review.revision))
    assert talk.turn.submission is not None


# --- Through the door ------------------------------------------------------------------------


def served(**flows):
    content = unhurried(SERVED["staffordshire"])
    return replace(content, flows={**content.flows, **flows})


def republished(site, **flows) -> None:
    """As if it was started again with other content."""
    object.__setattr__(site.waymark, "content", served(**flows))


@pytest.fixture
async def site(tmp_path):
    async with running(tmp_path, content=served()) as everything:
        yield everything


def another(flow, question: str):
    """The same flow, with this question meaning something else."""
    written = flow.model_dump(by_alias=True)
    (step,) = (step for step in written["questions"] if step.get("id") == question)
    step["edition"] = 2
    return type(flow).model_validate(written)


async def test_in_the_form_they_are_told_once_and_asked_again_with_their_answer_there(site):
    form = OnForm(site)
    await form.begin(CONCERN)
    await plainly(form, CONCERN)
    kept = await answers(site)
    republished(site, **{CONCERN: another(CONTENT.flows[CONCERN], "want")})
    page = await form.open(form.home)
    assert page.path.endswith("/want")
    assert "We have changed some of our questions" in page.text
    (ticked,) = page.html.select("input[checked]")
    assert [ticked["value"]] == kept["want"]
    await form.tick("want", kept["want"])
    page = await form.open(form.home)
    assert "We have changed" not in page.text
    assert page.path.endswith("/check")
    assert await answers(site) == kept
    reconciled = await rows(site.waymark, Audit, Audit.action == "conversation.reconciled")
    assert len(reconciled) == 1


async def test_in_the_form_a_withdrawn_flow_offers_to_send_what_there_is(site):
    form = OnForm(site)
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    await form.choose("harm", "no")
    withdrawn = CONTENT.flows[CONCERN].model_copy(update={"withdrawn": True})
    republished(site, **{CONCERN: withdrawn})
    page = await form.open(form.home)
    assert "We do not use these questions any more" in page.text
    assert page.path.endswith("/check")
    await form.send()
    assert "Your reference" in form.page.text or form.page.path.endswith("/sent")
    front = await form.open("/for/adult")
    assert not front.html.select(f"a[href='/start/{CONCERN}']")
    assert (await form.open(f"/start/{CONCERN}")).status == 404


def test_every_question_says_what_it_means_the_same_way_twice():
    again = {q.id: q.meaning for q in SERVED["kirklees"].flows[CONCERN].questions}
    assert again == {q.id: q.meaning for q in CONTENT.flows[CONCERN].questions}


async def test_before_publishing_it_is_said_how_many_a_change_touches(site):
    for flow in (CONCERN, CONCERN, CHILD):
        form = OnForm(site)
        await form.begin(flow)
        if flow == CONCERN:
            await form.choose("danger", "not-now")
    assert await underway.touched(site.waymark) == {CONCERN: {"kept": 2}, CHILD: {"kept": 1}}
    republished(site, **{CONCERN: another(CONTENT.flows[CONCERN], "danger")})
    assert await underway.touched(site.waymark) == {CONCERN: {"again": 2}, CHILD: {"kept": 1}}
    flows = {CONCERN: CONTENT.flows[CONCERN].model_copy(update={"withdrawn": True})}
    content = replace(served(), flows=flows)
    object.__setattr__(site.waymark, "content", content)
    expected = {CONCERN: {"withdrawn": 2}, CHILD: {"no-flow": 1}}
    assert await underway.touched(site.waymark) == expected
