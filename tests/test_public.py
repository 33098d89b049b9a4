"""What senders see in a browser: the form and the chat without JavaScript, replies, the pages."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.keys import Keys
from bot.store.models import (
    Alert,
    Attempt,
    ConversationRow,
    Note,
    Outbox,
    Reply,
    Staff,
    SubmissionRow,
)
from content.schema import Question, QuestionType, Skip
from tests.drivers.waymark import CONTENT, Running, running
from tests.drivers.web import OnChat, OnForm, Page, Visitor
from web.public import places

TEMPLATES = Path(__file__).parent.parent / "web/templates/public"
CONCERN = "raise-a-concern"
CHILD = "my-views-years-3-to-6"
SITE = ["/", "/answers", "/entitlements", "/help-now", "/privacy", "/resume", "/reply", "/deleted"]
HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
async def site(tmp_path):
    async with running(tmp_path) as everything:
        yield everything


@pytest.fixture
async def form(site) -> OnForm:
    return OnForm(site)


@pytest.fixture
async def chat(site) -> OnChat:
    return OnChat(site)


async def every(site: Running, table: type, *columns: str) -> list:
    async with site.database.reading() as db:
        wanted = [getattr(table, name) for name in columns] or list(table.__table__.columns)
        return list((await db.execute(sa.select(*wanted))).all())


async def answers(site: Running) -> dict:
    ((state,),) = await every(site, ConversationRow, "state")
    return {name: answer["values"] for name, answer in state["answers"].items()}


async def plainly(person: OnForm | OnChat, flow: str) -> None:
    """Answer everything that is asked in the plainest harmless way, up to the review."""
    for _ in range(90):
        at = await person.asked()
        question = CONTENT.flows[flow].by_id.get(at)
        if question is None:
            return
        harmless = [o.value for o in question.options if not o.ends and not o.disclosure]
        if question.type is QuestionType.CARD:
            await person.choose(at, "read")
        elif question.type is QuestionType.CHOICES:
            await person.tick(at, harmless[:1])
        elif question.options:
            await person.choose(at, "not-now" if at == "danger" else harmless[0])
        elif question.style == "scale":
            await person.choose(at, str(question.min))
        else:
            await person.say(at, plain(question))
    raise AssertionError("it never ends")


def plain(question: Question) -> str:
    """Words that a question takes."""
    if question.type is QuestionType.NUMBER:
        return str(question.min)
    if question.type is QuestionType.DATE:
        return "3 March 2026" if question.time == "past" else "3 March 2027"
    return PLAIN.get(question.type, "All is well.")


PLAIN = {
    QuestionType.PHONE: "07700 900123",
    QuestionType.EMAIL: "pat@example.org",
}


async def sent(person: OnForm | OnChat, flow: str = CHILD) -> tuple[str, str]:
    """Send one; its reference and return code."""
    await person.begin(flow)
    await plainly(person, flow)
    await person.send()
    codes = [code.get_text() for code in person.page.html.select(".wm-code")]
    return codes[0], codes[1]


# --- The way in ---------------------------------------------------------------------------


async def test_the_front_page_offers_every_flow_of_the_browser(form):
    page = await form.open("/")
    for flow in CONTENT.flows.values():
        assert page.html.select(f"a[href='/start/{flow.id}']")
    assert page.link("I need help now").startswith("/help-now")
    assert "Staffordshire Virtual School" in page.title


async def test_the_start_page_says_who_reads_it_before_anything_is_asked(form):
    page = await form.open(f"/start/{CHILD}")
    assert "Who reads it" in page.text
    assert "we must tell someone who can help" in page.text
    assert not await every(form.running, ConversationRow)


async def test_without_a_cookie_nothing_is_begun(site):
    stranger = Visitor(site)
    page = await stranger.post(f"/start/{CHILD}", [("mode", "form"), ("key", "a")])
    assert page.status == 422
    assert "cookie" in page.text
    assert not await every(site, ConversationRow)


async def test_beginning_twice_with_one_page_begins_once(form):
    await form.begin(CHILD)
    first = form.page.path
    await form.begin_again()
    assert form.page.path == first
    assert len(await every(form.running, ConversationRow)) == 1


async def test_what_was_begun_is_offered_again_and_can_be_left_for_a_new_start(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    begun = form.home
    front = await form.open("/")
    assert front.html.select(f"a[href='{begun}']")
    start = await form.open(f"/start/{CONCERN}")
    assert "You have already begun this" in start.text
    await form.follow("Carry on, one question at a time")
    assert form.page.path == f"{begun}/harm"
    await form.start(CONCERN, "form")
    assert form.page.path.endswith("/danger")
    assert form.home != begun


# --- The form -----------------------------------------------------------------------------


async def test_a_whole_form_from_the_start_to_the_reference(form):
    await form.begin(CHILD)
    assert form.page.heading == "What happens to your answers"
    await plainly(form, CHILD)
    assert form.page.heading == "Check your answers"
    text = await form.send()
    (row,) = await every(form.running, SubmissionRow)
    assert row.reference in text
    assert form.running.waymark.keys.return_code(row.id) in text
    assert "What happens next" in text
    assert row.channel == "form"


async def test_an_empty_answer_is_named_at_the_top_and_at_the_field(form):
    await form.begin(CONCERN)
    await form.send_form(form.page.one("form.wm-question"))
    assert form.page.status == 422
    assert form.page.title.startswith("Error: ")
    link = form.page.one(".govuk-error-summary a")
    assert form.page.html.select(str(link["href"]))
    assert link.get_text() in form.page.one(".govuk-error-message").get_text()


async def test_what_was_typed_stays_when_it_was_not_taken(form):
    await form.begin(CONCERN)
    question = await reach(form, "first-date", {"dates": "pep"})
    await form.send_form(question.one("form.wm-question"), answer="the day after never")
    assert form.page.status == 422
    assert form.page.one("#answer")["value"] == "the day after never"
    await form.send_form(form.page.one("form.wm-question"), answer="3 March 2027")
    assert (await answers(form.running))["first-date"] == ["2027-03-03"]


async def reach(form: OnForm, question: str, choosing: dict[str, str]) -> Page:
    """Answer plainly up to a question, choosing what leads there."""
    for _ in range(90):
        at = await form.asked()
        if at == question:
            return form.page
        if at in choosing:
            await form.answer(at, choosing[at])
            continue
        asked = CONTENT.flows[form.flow].by_id[at]
        harmless = [o.value for o in asked.options if not o.ends and not o.disclosure]
        first = "not-now" if at == "danger" else harmless[0] if harmless else ""
        await form.answer(at, first or plain(asked))
    raise AssertionError(f"{question} was never asked")


async def test_back_refresh_and_answering_again_lose_nothing(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    await form.choose("harm", "no")
    await form.back()
    assert form.page.path.endswith("/harm")
    assert form.page.one("input[value=no]").has_attr("checked")
    await form.open(form.page.path)  # refresh
    await form.choose("harm", "no")
    assert await form.asked() == "role"
    assert set(await answers(form.running)) == {"danger", "harm"}


async def test_the_browsers_own_back_and_another_answer_changes_it(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    harm = await form.at("harm")
    await form.choose("harm", "no")
    kept = await form.open(harm.path)  # pages are never kept, so the browser asks for it again
    await form.send_form(kept.one("form.wm-question"), answer="not-sure")
    assert (await answers(form.running))["harm"] == ["not-sure"]


async def test_a_double_submit_is_one_answer(form):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    first = form.page.path
    (before,) = await every(form.running, ConversationRow, "revision")
    await form.begin_again()
    assert form.page.path == first
    assert await every(form.running, ConversationRow, "revision") == [before]


async def test_a_double_submit_of_something_unclear_shows_the_problem_both_times(form):
    await form.begin(CONCERN)
    await form.send_form(form.page.one("form.wm-question"))
    await form.begin_again()
    assert form.page.status == 422
    assert form.page.html.select(".govuk-error-summary")


async def test_an_old_window_never_changes_an_answer_behind_ones_back(form):
    await form.begin(CONCERN)
    old = form.page
    await form.choose("danger", "not-now")
    await form.send_form(old.one("form.wm-question"), page=old, answer="not-sure")
    assert form.page.status == 409
    assert "No, not right now" in form.page.text
    assert (await answers(form.running))["danger"] == ["not-now"]
    await form.send_form(form.page.one("form.wm-question"), answer="not-sure")
    assert (await answers(form.running))["danger"] == ["not-sure"]


async def test_changing_an_answer_takes_a_branch_away_and_back_again(form):
    await form.begin(CONCERN)
    await reach(form, "pt-long", {"topic": "part-time"})
    kept = (await answers(form.running)).keys()
    branch = [name for name in kept if name.startswith("pt-")]
    await form.change("topic", "attendance")
    check = await form.open(f"{form.home}/check")
    assert not any(check.html.select(f"a[href$='/{name}']") for name in branch)
    await form.change("topic", "part-time")
    assert await form.asked() == "pt-long"
    check = await form.open(f"{form.home}/check")
    assert all(check.html.select(f"a[href$='/{name}']") for name in branch)


@pytest.mark.parametrize("there", ["role", "no-such-question", "sent", "end", "danger/notice"])
async def test_a_page_that_is_not_theirs_yet_leads_to_where_they_are(form, there):
    await form.begin(CONCERN)
    await form.choose("danger", "not-now")
    response = await form.http.get(f"{form.home}/{there}")
    assert response.status_code == 303
    await form.open(f"{form.home}/{there}")
    assert form.page.path.endswith("/harm")


async def test_an_answer_to_a_question_that_went_away_says_so(form):
    await form.begin(CONCERN)
    await reach(form, "pt-long", {"topic": "part-time"})
    old = form.page
    await form.change("topic", "attendance")
    await form.send_form(old.one("form.wm-question"), page=old, answer="six-plus")
    assert "That question no longer applies" in form.page.text
    assert "pt-long" not in await answers(form.running)


async def test_skips_are_kept_as_what_they_are(form):
    await form.begin(CHILD)
    await form.choose("privacy", "read")
    await form.skip("name", Skip.SKIPPED)
    await form.skip("year", Skip.DONT_KNOW)
    check = await form.open(f"{form.home}/check")
    assert "Skip this" in check.text
    assert "I don't know" in check.text
    assert "Nothing has been sent yet" in check.text


async def test_the_question_can_be_left_for_help_and_come_back_to(form):
    await form.begin(CHILD)
    await form.choose("privacy", "read")
    said = await form.help_now()
    assert "0800 1111" in said
    assert form.page.path.endswith("/name")


async def test_after_three_unclear_answers_a_way_round_is_offered(form):
    await form.begin(CONCERN)
    for _ in range(3):
        assert "You can skip this question, or get help" not in form.page.text
        await form.unclear("danger", "purple")
    assert "You can skip this question, or get help" in form.page.text


async def test_pointed_elsewhere_nothing_is_sent_and_back_is_open(form):
    await form.begin(CONCERN)
    await form.choose("danger", "in-danger")
    assert await form.asked() == "ended"
    assert "Call 999 now" in form.page.heading
    assert "Nothing has been sent to us" in form.page.text
    await form.follow("Go back and change an answer")
    assert form.page.path.endswith("/danger")
    assert not await every(form.running, SubmissionRow)


# --- Help that an answer calls for ---------------------------------------------------------


async def test_the_help_an_answer_calls_for_comes_first_and_stays_within_reach(form):
    await form.begin(CONCERN)
    await form.send_form(form.page.one("form.wm-question"), answer="not-sure")
    assert form.page.path.endswith("/danger/notice")
    assert "999" in form.page.text
    notice = form.page.path
    (alert,) = await every(form.running, Alert)
    assert alert.urgency == "urgent"
    await form.open(form.home)  # the redirect was lost on the way
    assert form.page.path.endswith("/harm")
    assert form.page.link("You told us something important") == notice
    assert (await form.open(notice)).status == 200


async def test_the_chat_keeps_the_help_beside_the_answer(chat):
    await chat.begin(CONCERN)
    await chat.choose("danger", "not-sure")
    assert len(chat.bubbles("notice")) == 1
    await chat.choose("harm", "no")
    await chat.open(chat.page.path)
    (notice,) = chat.bubbles("notice")
    assert "999" in notice


# --- Sending ------------------------------------------------------------------------------


async def test_sending_twice_files_once(form):
    await form.begin(CHILD)
    await plainly(form, CHILD)
    first, second = await form.send_in_two_tabs()
    references = set(re.findall(r"VS-[0-9A-Z]{4}-[0-9A-Z]{4}", first + second))
    assert len(references) == 1
    assert len(await every(form.running, SubmissionRow)) == 1


async def test_what_changed_since_it_was_reviewed_is_shown_before_it_is_sent(form):
    await form.begin(CHILD)
    await plainly(form, CHILD)
    old = form.page
    await form.change("year", "year-5")
    await form.send_form(old.one("form[action$='/check']"), page=old)
    assert "check your answers once more" in form.page.text
    assert not await every(form.running, SubmissionRow)
    await form.send()
    assert len(await every(form.running, SubmissionRow)) == 1


async def test_after_sending_every_page_of_it_leads_to_the_reference(form):
    await sent(form)
    for there in ("", "/check", "/end", "/name", "/stopped", "/delete"):
        await form.open(form.home + there)
        assert form.page.path.endswith("/sent"), there


async def test_a_failed_commit_is_never_called_sent(form, monkeypatch):
    await form.begin(CHILD)
    await plainly(form, CHILD)
    break_commits(monkeypatch)
    await form.send_form(form.page.one("form[action$='/check']"))
    assert form.page.status == 500
    assert "What you just sent was not kept" in form.page.text
    assert "VS-" not in form.page.text
    assert "999" in form.page.text
    assert form.page.headers["content-security-policy"]
    monkeypatch.undo()
    assert not await every(form.running, SubmissionRow)
    await form.open(form.page.path)
    assert "VS-" in await form.send()


def break_commits(monkeypatch) -> None:
    async def fail(connection):
        raise OSError("the disk is full")

    monkeypatch.setattr(AsyncConnection, "commit", fail)


async def test_an_answer_that_was_not_kept_is_said_so_in_the_chat_too(chat, monkeypatch):
    await chat.begin(CONCERN)
    break_commits(monkeypatch)
    await chat.press("a", "danger|not-now")
    assert chat.page.status == 500
    assert "What you just sent was not kept" in chat.page.text


# --- The chat -----------------------------------------------------------------------------


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
        "No, it is about their education",
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


# --- Whose it is --------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["", "/check", "/danger", "/danger/notice", "/stopped", "/sent"])
async def test_someone_elses_conversation_is_no_page_at_all(site, there):
    theirs = OnForm(site)
    await theirs.begin(CONCERN)
    await theirs.choose("danger", "not-sure")
    stranger = Visitor(site)
    await stranger.open("/reply")
    found = await stranger.open(theirs.home + there)
    nothing = await stranger.open(f"/form/{'0' * 24}{there}")
    assert (found.status, nothing.status) == (404, 404)
    assert found.text == nothing.text
    chat = await stranger.open(f"/chat/{theirs.id}")
    assert chat.status == 404


async def test_nobody_else_can_answer_for_them(site):
    theirs = OnForm(site)
    await theirs.begin(CONCERN)
    stranger = Visitor(site)
    await stranger.open("/reply")
    for address in (f"{theirs.home}/danger", f"/chat/{theirs.id}", f"{theirs.home}/delete"):
        page = await stranger.post(address, [("answer", "not-now"), ("text", "no"), ("key", "k")])
        assert page.status == 404
    assert await answers(site) == {}


async def test_a_form_from_another_site_is_refused(form):
    await form.begin(CONCERN)
    address = form.page.path
    response = await form.http.post(
        address, data={"answer": "not-now"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert response.status_code == 403
    assert await answers(form.running) == {}


async def test_the_resume_code_carries_on_in_a_browser_that_was_never_here(site):
    here, there = OnForm(site), OnForm(site)
    await here.begin(CONCERN)
    await here.choose("danger", "not-now")
    code = await here.stop()
    assert "Nothing has been sent" in here.page.text
    await there.resume_in_browser(code.lower().replace("-", " "))
    assert there.page.path.endswith("/harm")
    assert (await here.open(f"/form/{here.id}")).status == 404


async def test_a_wrong_resume_code_opens_nothing_and_tires(form):
    for _ in range(10):
        await form.open("/resume")
        await form.send_form(form.page.one("form[action='/resume']"), code="AAAA-BBBB-CCCC")
        assert form.page.status == 422
    await form.send_form(form.page.one("form[action='/resume']"), code="AAAA-BBBB-CCCC")
    assert form.page.status == 429


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_the_way_back_from_help_stays_on_this_site(form, address):
    await form.http.get("/help-now", params={"from": address})
    page = Page(await form.http.get("/help-now", params={"from": address}))
    assert "evil" not in str(page.html)
    assert "javascript:" not in str(page.html)
    assert page.link("Go to the front page") == "/"


# --- Replies ------------------------------------------------------------------------------


async def look_up(visitor: Visitor, reference: str, code: str) -> Page:
    await visitor.open("/reply")
    form = visitor.page.one("form[action='/reply']")
    return await visitor.send_form(form, reference=reference, code=code)


async def reply_to(site: Running, text: str, note: str = "") -> None:
    """A member of staff answers, as the staff site does it."""
    (row,) = await every(site, SubmissionRow)
    now = site.waymark.clock()
    async with site.database.transaction() as db:
        who = {"id": "ann", "name": "Ann Example", "email": "ann@example.org", "made_at": now}
        await db.execute(sa.insert(Staff).values(**who, role="mentor", active=True))
        of = {"submission": row.id, "author": "ann", "written_at": now}
        await db.execute(sa.insert(Reply).values(id="r1", text=text, **of))
        await db.execute(sa.insert(Note).values(id="n1", text=note, **of))
        post = {"key": "reply:r1", "sender": row.sender, "payload": {}, "state": "queued"}
        await db.execute(sa.insert(Outbox).values(**post, due_at=now, made_at=now, tries=0))


async def test_a_reply_is_read_with_reference_and_code_from_any_browser(site, form):
    reference, code = await sent(form)
    await reply_to(site, "We will ring your school.\nOn Monday.", note="Mum is hard to reach")
    elsewhere = Visitor(site)
    page = await look_up(elsewhere, reference.lower(), code.replace("-", "").lower())
    assert page.path == "/reply/read"
    assert "We will ring your school." in page.text
    assert "All is well." in page.text
    assert code not in page.address
    ((read_at,),) = await every(site, Reply, "read_at")
    assert read_at is not None
    ((state,),) = await every(site, Outbox, "state")
    assert state == "sent"


async def test_a_reply_page_holds_nothing_staff_keep_for_themselves(site, form):
    reference, code = await sent(form)
    await reply_to(site, "We will ring.", note="Mum is hard to reach")
    (row,) = await every(site, SubmissionRow)
    page = await look_up(Visitor(site), reference, code)
    whole = str(page.html)
    assert "hard to reach" not in whole
    assert "ann@example.org" not in whole
    assert row.handle not in whole
    assert not any(reason in whole for reason in row.reasons)
    assert row.id not in whole


async def test_an_open_reply_survives_a_refresh_and_closes(site, form):
    reference, code = await sent(form)
    elsewhere = Visitor(site)
    await look_up(elsewhere, reference, code)
    assert (await elsewhere.open("/reply/read")).heading == reference
    await elsewhere.send_form(elsewhere.page.one("form[action='/reply/close']"))
    assert (await elsewhere.open("/reply/read")).path == "/reply"


async def test_an_open_reply_closes_by_itself(site, form):
    reference, code = await sent(form)
    await look_up(form, reference, code)
    site.clock.forward(timedelta(minutes=31))
    assert (await form.open("/reply/read")).path == "/reply"


async def test_the_pass_of_one_browser_is_worth_nothing_in_another(site, form):
    reference, code = await sent(form)
    await look_up(form, reference, code)
    thief = Visitor(site)
    thief.http.cookies.set("waymark-reply", form.http.cookies["waymark-reply"], path="/reply")
    assert (await thief.open("/reply/read")).path == "/reply"


async def test_wrong_reference_and_wrong_code_get_the_same_answer(site, form):
    reference, code = await sent(form)
    stranger = Visitor(site)
    one = await look_up(stranger, reference, "AAAA-BBBB-CCCC")
    two = await look_up(stranger, "VS-AAAA-BBBB", code)
    said = [p.one(".govuk-error-summary").get_text() for p in (one, two)]
    assert said[0] == said[1]
    assert (one.status, two.status) == (422, 422)


async def test_too_many_wrong_codes_must_wait(site, form):
    reference, code = await sent(form)
    stranger = Visitor(site)
    for _ in range(10):
        assert (await look_up(stranger, reference, "AAAA-BBBB-CCCC")).status == 422
    page = await look_up(stranger, reference, code)
    assert page.status == 429
    assert "wait 15 minutes" in page.text
    site.clock.forward(timedelta(minutes=16))
    assert (await look_up(stranger, reference, code)).path == "/reply/read"


async def test_new_browsers_at_one_place_tire_too(site):
    for _ in range(30):
        assert (await look_up(Visitor(site), "VS-AAAA-BBBB", "AAAA")).status == 422
    assert (await look_up(Visitor(site), "VS-AAAA-BBBB", "AAAA")).status == 429
    kept = await every(site, Attempt, "what")
    assert kept
    assert all("127.0.0.1" not in what for (what,) in kept)


async def test_before_an_answer_the_page_says_by_when(site, form):
    reference, code = await sent(form)
    page = await look_up(form, reference, code)
    assert "There is no answer yet" in page.text
    site.clock.forward(timedelta(days=30))
    page = await look_up(form, reference, code)
    assert "We are sorry that it has taken longer" in page.text


# --- The pages ----------------------------------------------------------------------------


async def test_every_answer_and_every_entitlement_shows_its_source(site):
    visitor = Visitor(site)
    page = await visitor.open("/answers")
    for row in site.waymark.authority.answers:
        shown = page.one(f"#{row.id}").get_text(" ")
        assert row.sources[0].title in shown
        assert "We checked this on" in shown
    page = await visitor.open("/entitlements")
    for row in CONTENT.entitlements.values():
        here = not row.who.councils or "staffordshire" in row.who.councils
        shown = page.html.select(f"[id='{row.id}']")
        assert bool(shown) == (row.published and here), row.id
        if shown:
            assert row.sources[0].title in shown[0].get_text(" ")


async def test_the_colours_may_be_kept_and_pages_may_not(site):
    visitor = Visitor(site)
    colours = await visitor.open("/brand.css")
    assert site.waymark.authority.colour in colours.text
    assert "max-age" in colours.headers["cache-control"]
    for address in SITE:
        assert (await visitor.open(address)).headers["cache-control"] == "no-store"


async def test_every_kind_of_response_has_its_headers(site, form, monkeypatch):
    visitor = Visitor(site)
    responses = [await visitor.http.get(address) for address in SITE]
    responses.append(await visitor.http.get("/nowhere"))
    responses.append(await visitor.http.delete("/reply"))
    responses.append(await visitor.http.post("/reply", data={"code": "x" * 300_000}))
    responses.append(await visitor.http.get("/static/waymark.css"))
    await form.begin(CONCERN)
    responses.append(await form.http.get(form.home))
    responses.append(await form.http.post(form.page.path, data={}))
    break_commits(monkeypatch)
    responses.append(await form.http.post(form.page.path, data={"answer": "not-now"}))
    codes = [response.status_code for response in responses]
    assert set(codes) == {200, 303, 404, 405, 413, 422, 500}
    for response in responses:
        for name, value in HEADERS.items():
            assert value in response.headers[name], (response.url, name)


async def test_no_page_has_inline_styles_or_scripts_without_the_nonce(form):
    await form.begin(CONCERN)
    pages = [form.page, *[await form.open(address) for address in SITE]]
    pages.append(await form.open(f"/chat/{form.id}"))
    for page in pages:
        assert not page.html.select("style, [style], [onclick]")
        assert all(script.get("nonce") for script in page.html.select("script"))


async def test_a_session_cookie_and_no_other(site):
    visitor = Visitor(site)
    response = await visitor.http.get(f"/start/{CHILD}")
    (cookie,) = response.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age" not in cookie
    assert not (await visitor.http.get("/answers")).headers.get_list("set-cookie")


def test_no_question_is_called_as_a_page_beside_the_questions():
    for flow in CONTENT.flows.values():
        assert not places.FIXED & set(flow.by_id)


def test_every_word_a_template_names_is_there():
    words = CONTENT.wording["en"]
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for key, joined in re.findall(r"""(?<!\w)t\(\s*'([a-z0-9.-]+)'\s*(~?)""", text):
            found = key in words or (joined and any(name.startswith(key) for name in words))
            assert found, f"{path.name}: {key}"


def test_a_code_is_read_as_people_type_it(tmp_path):
    keys = Keys.at(tmp_path)
    code = keys.resume_code("a")
    assert keys.resume_key(code) == keys.resume_key(f" {code.lower().replace('-', ' ')} ")
