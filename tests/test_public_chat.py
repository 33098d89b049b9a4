"""The browser chat without JavaScript."""

from bot.store.models import (
    Alert,
    ConversationRow,
    SubmissionRow,
)
from tests.drivers.web import OnForm
from tests.public import CHILD, CONCERN, answers, break_commits, every, plainly


async def test_a_whole_chat_with_buttons_boxes_and_words(chat):
    await chat.begin(CHILD)
    assert "What happens to your answers" in chat.bubbles()[1]
    await plainly(chat, CHILD)
    assert await chat.asked() == "review"
    text = await chat.send()
    (row,) = await every(chat.running, SubmissionRow)
    assert row.reference in text
    assert row.channel == "chat"


async def test_words_steer_the_chat(chat):
    await chat.begin(CONCERN)
    await chat.type("no")
    assert await chat.asked() == "harm"
    await chat.type("back")
    assert await chat.asked() == "danger"
    assert "You said: No, not right now" in chat.bubbles()[-2]
    await chat.type("carry on")
    await chat.type("help")
    assert any("You can type: back" in bubble for bubble in chat.bubbles())


async def test_the_chat_is_made_anew_from_the_answers(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-now")
    await chat.choose("harm", "no")
    await chat.open(chat.page.path)
    assert [b.removeprefix("You said: ") for b in chat.bubbles("me")] == [
        "No, not right now",
        "No, it is about education",
    ]
    log = chat.page.one("#log")
    assert (log["role"], log["aria-live"]) == ("log", "polite")


async def test_a_tap_on_what_was_said_changes_it(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-now")
    await chat.change("danger", "not-sure")
    assert await chat.asked() == "harm"
    assert (await answers(chat.running))["danger"] == ["not-sure"]


async def test_unclear_words_stay_in_the_box_and_three_bring_help(chat):
    await chat.begin(CONCERN)
    for _ in range(3):
        assert "that is fine" not in chat.page.text.lower()
        said = await chat.unclear("danger", "purple")
        assert "Please choose one of these" in said
        assert chat.page.one("#text")["value"] == "purple"
    assert "That is fine" in chat.page.text


async def test_a_tap_twice_is_one_answer(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-now")
    await chat.begin_again()
    assert await chat.asked() == "harm"
    assert chat.page.status == 200


async def test_a_button_nobody_made_changes_nothing(chat):
    await chat.begin(CONCERN)
    for made_up in ("x", "a|b", "z|1|2|3", "s|nonce|many", "y|", "a|nonce|danger|in-danger|more"):
        await chat.send_form(chat.page.one("#steps"), press=made_up)
        assert await chat.asked() == "danger"
    assert await answers(chat.running) == {}


async def test_form_and_chat_are_one_conversation(site):
    form = OnForm(site)
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    await form.follow("Do this as a chat")
    assert form.page.one("#chat")["data-at"] == "harm"
    await form.follow("One question at a time")
    assert form.page.path.endswith("/harm")


async def test_delete_asks_once_and_then_forgets(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-sure")
    await chat.type("delete")
    await chat.press("r")
    assert await chat.asked() == "harm"
    await chat.type("delete")
    await chat.press("x")
    assert chat.page.path == "/deleted"
    assert not await every(chat.running, ConversationRow)
    assert await every(chat.running, Alert)


async def test_the_form_can_be_deleted_too(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    await form.open(f"{form.home}/delete")
    await form.send_form(form.page.one("form[action$='/delete']"))
    assert form.page.path == "/deleted"
    assert not await every(form.running, ConversationRow)
    await form.begin_again()
    assert form.page.path == "/deleted"


async def test_the_chat_keeps_the_help_beside_the_answer(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-sure")
    assert len(chat.bubbles("notice")) == 1
    await chat.choose("harm", "no")
    await chat.open(chat.page.path)
    (notice,) = chat.bubbles("notice")
    assert "999" in notice


async def test_an_answer_that_was_not_kept_is_said_so_in_the_chat_too(chat, monkeypatch):
    await chat.begin(CONCERN)
    break_commits(monkeypatch)
    await chat.press("a", "danger|not-now")
    assert chat.page.status == 500
    assert "What you just sent was not kept" in chat.page.text
