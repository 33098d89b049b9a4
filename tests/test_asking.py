"""A question asked at any point, in each channel: what fits, honestly nothing, and back to the very
question they were at with nothing lost."""

import logging

import pytest

from bot.conversation import engine
from bot.conversation import events as ev
from bot.store.models import Alert, ConversationRow, Inbox, Outbox, Sender, SubmissionRow
from content.schema import Channel
from tests import test_telegram
from tests.drivers.waymark import SERVED
from tests.drivers.web import OnForm, controls
from tests.public import CHILD, CONCERN, answers, every
from tests.public import chat as chat
from tests.public import form as form
from tests.public import site as site

ASKED = "can i stay with my foster carer after 18?"
FOUND = "Staying put with your foster carer, to 21"
NOT_OURS = "when are the bins collected in leeds?"
NOTHING = "did not find anything that fits"


# --- The form -----------------------------------------------------------------------------


async def words(form: OnForm, text: str) -> None:
    await form.send_form(form.page.one("form[action='/ask']"), text=text)


async def asks(form: OnForm, **drafted: object) -> None:
    """Press "Ask a question", with whatever is on the page half written."""
    button = form.page.one("button[form=question][formaction='/ask']")
    written = [(name, str(value)) for name, value in drafted.items()]
    rest = [(n, v) for n, v in controls(form.page.one("#question"), button) if n not in drafted]
    await form.post("/ask", [*rest, *written])


async def test_a_question_from_the_site_menu(form):
    await form.open("/")
    await form.follow("Ask a question")
    await words(form, ASKED)
    assert form.page.heading == "What we found"
    card = form.page.one("#found-entitlement-staying-put").get_text(" ")
    assert FOUND in card
    assert "Source:" in card
    assert form.page.headers["cache-control"] == "no-store"
    assert ASKED not in form.page.address


async def test_an_amount_is_told_with_its_year(form):
    await form.open("/ask")
    await words(form, "how much is the setting up home allowance")
    card = form.page.one("#found-entitlement-setting-up-home").get_text(" ")
    assert "At least £3,000 (since 1 April 2023)" in " ".join(card.split())


async def test_what_is_not_so_is_put_right_and_leads_on(form):
    await form.open("/ask")
    await words(form, "do i have to tell my boss i was in care")
    card = form.page.one("#found-correction-telling-my-boss")
    assert "You choose who you tell" in card.get_text(" ")
    assert card.select_one("a[href='/entitlements#apprenticeship-bursary']")


async def test_a_flow_can_be_started_from_the_answer(form):
    await form.open("/ask")
    await words(form, "i am worried about how my foster child is doing at school")
    assert form.page.link("Start this") == f"/start/{CONCERN}"


async def test_nothing_fits_is_said_and_a_person_offered(form):
    await form.open("/ask")
    await words(form, NOT_OURS)
    assert "Nothing we have fits that" in form.page.text
    assert "careleaverslocalofferteam@staffordshire.gov.uk" in form.page.text
    assert form.page.link("Talk to a person") == "/start/talk-to-a-person"
    assert form.page.one("#text")["value"] == NOT_OURS
    assert not form.page.html.select("article[id^=found-]")


async def test_without_words_there_is_nothing_to_look_for(form):
    await form.open("/ask")
    await words(form, "  ")
    assert form.page.status == 422
    assert "Please type your question first" in form.page.text


async def test_back_to_the_very_question_with_answers_and_half_written_words(form):
    await form.begin(CHILD)
    while await form.asked() != "name":
        await form.choose(await form.asked(), "read")
    before = await answers(form.running)
    await asks(form, answer="Rob")
    await words(form, ASKED)
    assert FOUND in form.page.text
    back = form.page.one("form button[name=again]")
    await form.send_form(back.find_parent("form"), back)
    assert await form.asked() == "name"
    assert form.page.one("[name=answer]")["value"] == "Rob"
    assert await answers(form.running) == before, "nothing was answered by asking"
    await form.say("name", "Robin")
    assert (await answers(form.running))["name"] == ["Robin"]


async def test_a_half_written_change_still_meets_what_another_window_said(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    await form.open(f"{form.page.path.rsplit('/', 1)[0]}/danger")
    await asks(form, answer="in-danger")
    await words(form, ASKED)
    back, page = form.page.one("form button[name=again]"), form.page
    await form.change("danger", "not-sure")  # in another window
    await form.send_form(back.find_parent("form"), back, page)
    await form.send_form(form.page.one("#question"))
    assert form.page.status == 409
    assert (await answers(form.running))["danger"] == ["not-sure"]


async def test_every_page_of_a_conversation_leads_to_asking(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    home = form.page.path.rsplit("/", 1)[0]
    for page in ("harm", "check", "stopped", "delete"):
        await form.open(f"{home}/{page}")
        assert form.page.html.select_one("a[href^='/ask?from='], button[formaction='/ask']"), page
        if page != "harm":
            await form.follow("Ask a question")
            await words(form, ASKED)
            assert form.page.link("Go back to your question").startswith(home)


async def test_a_child_is_offered_no_flow_for_adults(form):
    await form.begin(CHILD)
    await form.open(f"/ask?from={form.page.path}")
    await words(form, "i want to raise a concern about a child's education")
    assert not form.page.html.select(f"a[href='/start/{CONCERN}']")


async def test_somebody_who_may_be_unsafe_sees_help_first(form):
    await form.begin(CHILD)
    await form.open(f"/ask?from={form.page.path}")
    await words(form, "someone is hurting me")
    assert "Childline" in form.page.one(".wm-notice").get_text(" ")
    assert form.page.html.select_one("main .wm-notice, main .wm-right")["class"] == ["wm-notice"]


async def test_words_asked_are_kept_nowhere_and_logged_nowhere(form, caplog):
    caplog.set_level(logging.DEBUG)
    await form.open("/ask")
    await words(form, "xylophone canary about my foster carer")
    await form.begin(CONCERN)
    await asks(form)
    await words(form, "xylophone canary once more")
    kept = [repr(await every(form.running, table)) for table in (Inbox, Outbox, ConversationRow)]
    assert "xylophone" not in "".join(kept)
    assert "xylophone" not in caplog.text


async def test_an_address_of_somebody_elses_leads_home(form):
    await form.open("/ask?from=https://elsewhere.example/")
    await words(form, ASKED)
    assert "elsewhere" not in str(form.page.html)


# --- The browser chat ---------------------------------------------------------------------


async def test_the_chat_answers_and_asks_the_same_again(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-now")
    before = await answers(chat.running)
    await chat.send_form(chat.page.one("#asks"), question=ASKED, find="yes")
    assert chat.page.status == 200
    assert await chat.asked() == "harm"
    said = chat.bubbles()
    harm = SERVED["staffordshire"].flows[CONCERN].by_id["harm"].text
    found = next(at for at, bubble in enumerate(said) if FOUND in bubble)
    again = next(at for at, bubble in enumerate(said) if harm in bubble)
    assert found < again, "what fits, and then the same question"
    assert await answers(chat.running) == before
    await chat.choose("harm", "no")
    assert (await answers(chat.running))["harm"] == ["no"]


async def test_a_question_typed_where_a_choice_is_asked(chat):
    await chat.begin(CONCERN)
    for _ in range(4):
        await chat.type(ASKED)
        assert any(FOUND in bubble for bubble in chat.bubbles())
        assert await chat.asked() == "danger"
    assert "That is fine" not in chat.page.text, "asking is no unclear answer"
    await chat.type(NOT_OURS)
    assert any("Nothing we have fits that" in bubble for bubble in chat.bubbles())


async def test_a_question_mark_in_an_answer_in_words_is_an_answer(chat):
    await chat.begin(CHILD)
    while await chat.asked() != "name":
        await chat.choose(await chat.asked(), "read")
    await chat.type("Robin?")
    assert (await answers(chat.running))["name"] == ["Robin?"]


async def test_a_choice_with_a_question_mark_is_still_that_choice(chat):
    await chat.begin(CONCERN)
    await chat.type("No, not right now?")
    assert (await answers(chat.running))["danger"] == ["not-now"]


async def test_asking_how_to_ask(chat):
    await chat.begin(CONCERN)
    await chat.type("Can I ask a question?")
    assert any("You can ask us anything" in bubble for bubble in chat.bubbles())
    assert await chat.asked() == "danger"


# --- Telegram -----------------------------------------------------------------------------


@pytest.fixture
async def world(tmp_path):
    database = f"sqlite+aiosqlite:///{tmp_path}/w.db"
    content = SERVED["staffordshire"]
    async with test_telegram.living(database, tmp_path, content=content) as world:
        yield world


async def begun(world) -> object:
    person = await world.person()
    await person.start(CONCERN)
    return person


def text(shown) -> str:
    return "\n".join(each.text for each in shown)


async def told(world, person, said: str) -> str:
    before = len(person.shown)
    await person.say(said)
    await world.idle()
    return text(person.shown[before:])


async def test_telegram_answers_a_command_and_asks_the_same_again(world):
    person = await begun(world)
    first = person.last.text.split("\n\n")[-1]
    await person.tap("No, not right now")
    (before,) = await world.rows(ConversationRow)
    asked = person.last
    said = await told(world, person, f"/ask {ASKED}")
    assert FOUND in said
    assert person.last.labels == asked.labels
    assert first not in person.last.text
    (after,) = await world.rows(ConversationRow)
    assert (after.state, after.revision) == (before.state, before.revision)


async def test_telegram_takes_a_typed_question_where_a_choice_was_asked(world):
    person = await begun(world)
    labels = person.last.labels
    assert FOUND in await told(world, person, ASKED)
    assert person.last.labels == labels
    assert NOTHING in await told(world, person, NOT_OURS)
    assert person.last.labels == labels
    assert "Talk to a person" in person.shown[-2].labels


async def test_the_command_alone_says_how(world):
    person = await begun(world)
    labels = person.last.labels
    assert "/ask and then your question" in await told(world, person, "/ask")
    assert person.last.labels == labels


async def test_before_anything_is_begun(world):
    person = await world.person()
    assert FOUND in await told(world, person, f"/ask {ASKED}")
    assert FOUND in await told(world, person, ASKED)
    assert NOTHING in await told(world, person, NOT_OURS)
    assert "/ask and then" in await told(world, person, "/ask")
    hello = await told(world, person, "hello")
    assert NOTHING not in hello
    assert "What would you like to do?" in hello
    assert await world.rows(ConversationRow) == []


async def test_age_comes_first_and_nothing_is_kept(world):
    stranger = world.stranger()
    said = await told(world, stranger, f"/ask {ASKED}")
    assert "Are you 16 or over?" in said
    assert FOUND not in said
    assert await world.rows(Sender) == []


async def test_help_comes_first_in_telegram(world):
    person = await begun(world)
    said = await told(world, person, "/ask someone is hurting me")
    assert "call 999" in said[:120]
    said = await told(world, await world.person(), "someone is hurting me")
    assert "call 999" in said


async def test_telegram_keeps_none_of_the_words(world, caplog):
    caplog.set_level(logging.DEBUG)
    person = await begun(world)
    await told(world, person, "/ask xylophone canary and my foster carer")
    await told(world, person, "xylophone canary and my foster carer?")
    kept = [repr(await world.rows(table)) for table in (Inbox, Outbox, ConversationRow, Alert)]
    assert "xylophone" not in "".join(kept)
    assert "xylophone" not in caplog.text


async def test_a_flow_found_can_be_begun_and_the_old_one_is_not_lost(world):
    person = await begun(world)
    await person.tap("No, not right now")
    await told(world, person, "/ask what is worrying me about a child's education")
    assert any("Raise a concern" in label for each in person.shown for label in each.labels)
    assert await world.rows(SubmissionRow) == []


# --- The engine ---------------------------------------------------------------------------


def test_the_engine_only_says_that_something_was_asked(site):
    now = site.waymark.clock()
    script = site.waymark.script(CONCERN, now)
    conversation = engine.begin(script, "0" * 24)
    turn = engine.step(script, conversation, ev.Find(ASKED), now, Channel.CHAT)
    assert (turn.finds, turn.conversation) == (ASKED, conversation)
    assert turn.asking.question.id == "danger"


@pytest.mark.parametrize("event", [ev.Find(ASKED), ev.Typed(ASKED)])
def test_asking_does_not_carry_on_what_was_stopped(site, event):
    now = site.waymark.clock()
    script = site.waymark.script(CONCERN, now)
    stopped = engine.step(
        script, engine.begin(script, "0" * 24), ev.Stop(), now, Channel.CHAT
    ).conversation
    turn = engine.step(script, stopped, event, now, Channel.CHAT)
    assert (turn.finds, turn.conversation) == (ASKED, stopped)
