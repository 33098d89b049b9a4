"""The public form without JavaScript: the way in, the questions, help and sending."""

import re

import pytest

from bot.store import conversations
from bot.store.models import (
    Alert,
    ConversationRow,
    SubmissionRow,
)
from content.schema import Skip
from tests.drivers.waymark import CONTENT
from tests.drivers.web import Visitor
from tests.public import CHILD, CONCERN, answers, break_commits, every, plainly, reach, sent

# --- The way in --------------------------------------------------------------------------


async def test_the_front_page_leads_everyone_to_every_flow_that_is_for_them(form):
    for flow in CONTENT.flows.values():
        page = await form.open("/")
        assert page.html.select(f"a[href='/for/{flow.audience}']")
        for who in (flow.audience, *flow.also_for):
            page = await form.open(f"/for/{who}")
            shown = page.html.select(f"a[href='/start/{flow.id}']")
            assert bool(shown) is not flow.submission.addition, flow.id
    assert {flow.audience for flow in CONTENT.flows.values()} == {"child", "young-person", "adult"}
    page = await form.open("/for/child")
    assert not page.html.select("a[href='/start/raise-a-concern']")
    assert (await form.open("/for/anything")).status == 404
    page = await form.open("/")
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


# --- The form ----------------------------------------------------------------------------


async def test_a_whole_form_from_the_start_to_the_reference(form):
    await form.begin(CHILD)
    assert form.page.heading == "What happens to your answers"
    await plainly(form, CHILD)
    assert form.page.heading == "Check your answers"
    text = await form.send()
    (row,) = await every(form.running, SubmissionRow)
    assert row.reference in text
    async with form.running.database.reading() as db:
        assert await conversations.return_code(db, row.conversation) in text
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


# --- Help that an answer calls for -------------------------------------------------------


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


# --- Sending -----------------------------------------------------------------------------


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
