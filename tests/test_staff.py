"""The staff site as staff meet it: signing in, the queue, a submission, notes, replies, alerts."""

from __future__ import annotations

import asyncio
import re
import socket
from datetime import timedelta

import pytest
import sqlalchemy as sa
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from bot import erasure
from bot.erasure import Why
from bot.errors import NotAllowed
from bot.store import conversations
from bot.store import staff as store
from bot.store.models import (
    Alert,
    Audit,
    Note,
    Outbox,
    Reply,
    StaffSession,
    SubmissionRow,
)
from content.schema import FIRST_TEAM, Role
from tests import opened
from tests.browser import accessibility_faults
from tests.drivers.staff import PASSWORD, Staff
from tests.drivers.waymark import running
from web import demo, doors
from web.casework import accounts, passwords, review
from web.casework.permissions import Person
from web.staff import guard, queue

CONCERN = {
    "danger": "not-now",
    "harm": "no",
    "role": "foster-carer",
    "reply-by": "here",
    "area": "plan",
    "urgency": "next-pep",
    "dates": ["none"],
}


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


async def person(house, name="Ann", role=Role.EDUCATION_COORDINATOR):
    async with house.database.transaction() as db:
        email = f"{name.casefold()}@example.org"
        id_ = await accounts.make(house.waymark, db, name, email, role)
        return Person(id_, name, role, FIRST_TEAM)


async def browser(house, name="Ann", role=Role.EDUCATION_COORDINATOR) -> Staff:
    """Somebody at their desk, signed in."""
    here = Staff(house.site)
    link = await accounts.add(house.waymark, name, f"{name.casefold()}@example.org", role.value)
    await here.use(link)
    assert here.path == "/staff", here.text
    return here


async def sent(house, name="one", hours_ago=1, flow="raise-a-concern", until=None, **answers):
    whole = {**CONCERN, **answers} if flow == "raise-a-concern" else answers
    story = demo.Story(flow, hours_ago, whole, until=until)
    return await demo.Sender(house.waymark, name, story).talk()


async def rows(house, table, *where):
    return await opened.rows(house.waymark, table, *where)


async def set_to(house, table, where, **values):
    async with house.database.transaction() as db:
        await db.execute(sa.update(table).where(where).values(**values))


# --- The doors ------------------------------------------------------------------------------


def staff_doors(site: FastAPI):
    return [door for door in doors.doors(site) if door.path.startswith("/staff")]


def filled(path):
    return re.sub(r"{\w+}", "anything", path)


async def test_every_staff_page_sends_strangers_to_sign_in(house):
    stranger = Staff(house.site)
    tried = 0
    for door in staff_doors(house.site):
        if door.path in doors.OPEN_TO_STRANGERS:
            continue
        for method in door.methods:
            got = await stranger.http.request(method, filled(door.path))
            assert got.status_code == 303, door
            assert got.headers["location"].startswith("/staff/sign-in")
            tried += 1
    assert tried >= 28


async def test_every_form_without_its_token_is_refused(house):
    ann, bob = await browser(house), await browser(house, "Bob")
    (theirs,) = [s.csrf for s in await rows(house, StaffSession) if s.staff != await id_of(house)]
    assert bob
    tried = 0
    for door in staff_doors(house.site):
        if door.path in doors.OPEN_TO_STRANGERS or "POST" not in door.methods:
            continue
        for token in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": theirs}, {"csrf": "£"}):
            got = await ann.http.post(filled(door.path), data={"text": "x", **token})
            assert got.status_code == 403, (door, token)
            tried += 1
    assert tried >= 80
    assert (await ann.go("/staff")).status == 200


async def id_of(house, name="Ann"):
    async with house.database.reading() as db:
        return (await store.by_email(db, f"{name.casefold()}@example.org")).id


async def test_a_form_from_another_site_is_refused(house):
    ann = await browser(house)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        await ann.post("/staff/sign-in", {"email": "a", "password": "b"}, headers=headers)
        assert ann.status == 403


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/staff",
        "//evil.example/staff",
        "/\\evil.example",
        "/staff/../elsewhere",
        "/staffx",
        "/",
        "javascript:alert(1)",
        "/staff\n/x",
        "/staff/sign-out",
        "",
    ],
)
def test_after_signing_in_nobody_is_sent_astray(evil):
    assert guard.safe_next(evil) == "/staff"


def test_after_signing_in_people_come_to_the_page_they_wanted():
    assert guard.safe_next("/staff/submissions/1?x=1") == "/staff/submissions/1?x=1"


# --- Signing in -----------------------------------------------------------------------------


async def with_password(house):
    ann = await browser(house)
    await ann.sign_out()
    house.clock.forward(timedelta(minutes=1))  # an app's codes are taken once each
    return ann


async def test_a_password_opens_the_page_that_was_wanted(house):
    ann = await with_password(house)
    one = await sent(house)
    await ann.open(one)
    assert ann.path == "/staff/sign-in"
    await ann.send("/staff/sign-in", email="ann@example.org", password=PASSWORD)
    assert ann.path == "/staff/sign-in/code"
    await ann.take_step()
    assert ann.path == f"/staff/submissions/{one}"


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(house):
    await with_password(house)
    answers = []
    for email in ("ann@example.org", "eve@example.org"):
        stranger = await Staff(house.site).sign_in(email, "not the password")
        assert stranger.status == 422
        main = str(stranger.page.find("main")).replace(email, "")
        answers.append((main, sorted(set(stranger.response.headers) - {"content-length"})))
    assert answers[0] == answers[1]
    assert "The email address or password is not right" in answers[0][0]


async def test_many_wrong_tries_are_answered_kindly_with_a_time(house):
    await with_password(house)
    stranger = Staff(house.site)
    for _ in range(5):
        await stranger.sign_in("ann@example.org", "guess")
    await stranger.sign_in("ann@example.org", PASSWORD)
    assert stranger.status == 429
    assert "the next try counts after 23 November 2026, 10:1" in stranger.text
    assert "Nothing is locked" in stranger.text
    house.clock.forward(timedelta(minutes=16))
    await stranger.sign_in("ann@example.org", PASSWORD)
    assert stranger.path == "/staff/sign-in/code"


async def test_the_cookie_says_nothing_and_stays_with_this_site(house):
    ann = await with_password(house)
    got = await ann.http.post(
        "/staff/sign-in", data={"email": "ann@example.org", "password": PASSWORD}
    )
    kept = got.headers.get_list("set-cookie")
    session = next(c for c in kept if c.startswith("waymark-staff="))
    assert all("HttpOnly" in c and "SameSite=lax" in c for c in kept)
    assert "Max-Age" not in session
    assert await id_of(house) not in session


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path):
    async with running(tmp_path, public_address="https://school.example") as house:
        here = Staff(house.site)
        link = await accounts.add(house.waymark, "Ann", "ann@example.org", "mentor")
        assert link.startswith("https://school.example/staff/sign-in/")
        got = await here.http.post(link.removeprefix("https://school.example"))
        for cookie in got.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-waymark-staff")
            assert "Secure" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie


async def test_a_new_key_at_every_sign_in_and_none_after_signing_out(house):
    ann = await with_password(house)
    await ann.sign_in("ann@example.org", PASSWORD)
    first = ann.http.cookies["waymark-staff"]
    ann.http.cookies.set("waymark-staff", first)
    await ann.post("/staff/sign-in", {"email": "ann@example.org", "password": PASSWORD})
    second = ann.http.cookies.get("waymark-staff", domain="staff.test")
    assert second not in (None, first)
    assert len(await rows(house, StaffSession)) == 1
    await ann.sign_out()
    assert ann.path == "/staff/signed-out"
    assert await rows(house, StaffSession) == []
    old = Staff(house.site)
    old.http.cookies.set("waymark-staff", second)
    assert (await old.go("/staff")).path == "/staff/sign-in"


async def test_idle_for_half_an_hour_is_signed_out(house):
    ann = await browser(house)
    house.clock.forward(timedelta(minutes=31))
    assert (await ann.go("/staff/account")).path == "/staff/sign-in"
    assert "next" in str(ann.response.url)


async def test_whoever_is_switched_off_is_out_at_once(house):
    ann = await browser(house)
    async with house.database.transaction() as db:
        await store.switch_off(db, await id_of(house), "headteacher", house.waymark.clock())
    assert (await ann.go("/staff")).path == "/staff/sign-in"


async def test_what_was_being_written_when_the_session_ended_is_given_back(house):
    ann, one = await browser(house), await sent(house)
    await ann.go(f"/staff/submissions/{one}/notes")
    house.clock.forward(timedelta(minutes=31))
    await ann.send("/notes", text="An hour's <careful> work")
    assert ann.status == 401
    assert ann.page.select_one("#typed").get_text() == "An hour's <careful> work"
    assert await rows(house, Note) == []


async def test_looking_at_a_way_in_does_not_use_it_up(house):
    link = await accounts.add(house.waymark, "Ann", "ann@example.org", "mentor")
    here = Staff(house.site)
    for _ in range(3):
        await here.go(link)
        assert "signs you in one time" in here.text
    await here.use(link)
    assert here.path == "/staff"
    await here.sign_out()
    again = await Staff(house.site).use(link)
    assert again.status == 410
    assert "This way in is over" in again.text


async def test_a_password_that_will_not_do_is_explained(house):
    ann = await browser(house)
    await ann.go("/staff/account")
    await ann.send("/staff/account", current=PASSWORD, new="short")
    assert ann.status == 422
    assert "8 characters or more" in ann.text


# --- The queue ------------------------------------------------------------------------------


async def three(house):
    """Low, high and urgent, sent in that order."""
    low = await sent(house, "low", 30, topic="equipment")
    high = await sent(
        house, "high", 20, area="in-school", topic="attendance",
        **{"attend-how": "some-days", "attendance": 46},
    )  # fmt: skip
    urgent = await sent(
        house, "urgent", 10, area="in-school", topic="exclusion", **{"excl-now": "suspended"}
    )
    handles = {row.id: row.handle for row in await rows(house, SubmissionRow)}
    return [handles[id_] for id_ in (low, high, urgent)], [low, high, urgent]


async def test_the_most_pressing_comes_first_and_the_page_says_so(house):
    (low, high, urgent), _ = await three(house)
    ann = await browser(house)
    assert await ann.handles() == [urgent, high, low]
    assert "Sorted by priority, then by when the reply is due, then oldest first" in ann.text
    assert "Suspended now" in ann.text
    assert "Under 50% attendance" in ann.text


async def test_counts_follow_what_is_done(house):
    _, (low, high, urgent) = await three(house)
    ann = await browser(house)
    await ann.go("/staff")
    assert ann.counts() == {
        "Open": 3, "New": 3, "In triage": 0, "Waiting": 0, "In hand": 0, "Closed": 0,
    }  # fmt: skip
    await (await ann.open(low)).take()
    await ann.move(high, "waiting")
    await ann.move(urgent, "closed-done", "advice", "Done")
    await ann.go("/staff")
    assert ann.counts() == {
        "Open": 2, "New": 0, "In triage": 0, "Waiting": 1, "In hand": 1, "Closed": 1,
    }  # fmt: skip


async def test_filters_are_in_the_address_and_can_be_taken_off(house):
    (low, high, urgent), (low_id, _, _) = await three(house)
    ann = await browser(house)
    await (await ann.open(low_id)).take()
    assert await ann.handles("?owner=me") == [low]
    assert await ann.handles("?owner=nobody") == [urgent, high]
    assert await ann.handles(f"?owner={await id_of(house)}") == [low]
    assert await ann.handles("?unread=yes") == [urgent, high]
    assert await ann.handles("?priority=high&priority=low") == [high, low]
    assert await ann.handles("?kind=views") == []
    assert "Nothing waiting" in ann.text
    assert await ann.handles("?stage=in-hand") == [low]
    assert await ann.handles("?stage=open&status=assigned") == [low]
    await ann.go("/staff?priority=high&owner=nobody")
    chips = {a.get_text(" ", strip=True): a["href"] for a in ann.page.select(".staff-applied li a")}
    assert list(chips.values()) == ["/staff?owner=nobody", "/staff?priority=high"]
    assert ann.page.select_one(".staff-applied > a")["href"] == "/staff"
    form = ann.page.select_one(".staff-filter__form")
    assert [b["value"] for b in form.select("input[checked]")] == ["high"]


async def test_what_an_address_asks_that_makes_no_sense_is_left_out(house):
    (low, high, urgent), _ = await three(house)
    ann = await browser(house)
    asked = "?stage=x&status=y&priority=z&kind=k&unread=maybe&page=-2&page=x"
    assert await ann.handles(asked) == [urgent, high, low]
    assert ann.status == 200


async def test_fifty_to_a_page(house):
    one = await sent(house)
    (row,) = await rows(house, SubmissionRow)
    async with house.database.transaction() as db:
        for n in range(120):
            copy = {
                **vars(row),
                "payload": None,
                "id": f"{n:032}",
                "reference": f"VS-{n}",
                "return_key": str(n),
            }
            await db.execute(sa.insert(SubmissionRow).values(**copy))
    ann = await browser(house)
    assert one
    assert len(await ann.handles()) == 50
    assert "121 submissions, page 1 of 3" in ann.text
    assert len(await ann.handles("?page=3")) == 21
    assert await ann.handles("?page=99") == []


def test_the_address_of_the_queue_can_be_read_back():
    from starlette.datastructures import QueryParams

    address = "?stage=new&status=new&priority=high&kind=views&owner=me&unread=yes&page=2"
    asked = queue.read(QueryParams(address[1:]), ("views",))
    assert queue.address(asked) == f"/staff{address}"


async def test_no_words_of_a_sender_are_on_a_list(house):
    await sent(
        house, story="Canary story", name="Canary name", initials="CAN.", school="Canary School"
    )
    ann = await browser(house)
    await ann.go("/staff")
    assert "canary" not in ann.response.text.casefold()
    assert "CAN." not in ann.text


# --- A submission ---------------------------------------------------------------------------


async def test_a_submission_shows_every_answer_beside_its_question(house):
    one = await sent(house, story="Line one\nline <b>two</b>" + " and more" * 10)
    (row,) = await rows(house, SubmissionRow)
    ann = await browser(house)
    await ann.open(one)
    shown = {
        block["id"].removeprefix("answer-"): block for block in ann.page.select(".staff-answer")
    }
    for line in row.payload["answers"]:
        block = shown[line["question"]]
        assert block.dt.get_text() == line["asked"]
        if line["skip"]:
            assert block.select_one(".staff-skipped").get_text() in ("Skipped", "I don't know")
        else:
            assert all(word in block.get_text() for word in line["words"])
        if line["why"]:
            assert line["why"] in block.select_one("details").get_text()
    words = shown["story"].select_one(".staff-words").get_text()
    assert words.startswith("Line one\nline <b>two</b> and more")


async def test_opening_marks_it_read_and_is_written_down(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go("/staff")
    assert ann.page.select(".staff-badge")
    await ann.open(one)
    (line,) = await rows(house, Audit, Audit.action == "submission.opened")
    assert (line.actor, line.object_id, line.detail) == (await id_of(house), one, {})
    await ann.go("/staff")
    assert not ann.page.select(".staff-badge")


async def test_how_and_when_to_ring_stands_beside_it(house):
    one = await sent(
        house, **{"reply-by": "phone", "phone": "07700 900123", "ring-safe": "ask-for-me"}
    )
    ann = await browser(house)
    await ann.open(one)
    box = ann.page.select_one(".staff-reach").get_text(" ")
    assert "900123" in box
    assert "No, just ask for me by name" in box


async def test_take_give_and_close(house):
    one = await sent(house)
    bob = await person(house, "Bob", Role.MENTOR)
    ann = await browser(house)
    await (await ann.open(one)).take()
    assert "This is yours now" in ann.text
    await ann.give(bob.id)
    assert "Bob" in ann.text
    await ann.move(one, "closed-not-us", "referred", "Passed to another council")
    assert "Closed: not for us" in ann.text
    assert "Passed to another council" in ann.page.select_one(".staff-note").get_text()
    await ann.open(one)
    told = ann.page.select_one(".staff-history").get_text(" ")
    for words in ("took it", "gave it to Bob", "closed it", "sent it through the form"):
        assert words in told


async def test_a_mentor_has_no_button_to_give_and_is_refused_in_words(house):
    one = await sent(house)
    moss = await browser(house, "Moss", Role.MENTOR)
    await set_to(house, SubmissionRow, SubmissionRow.id == one, owner=await id_of(house, "Moss"))
    await moss.open(one)
    assert "Reply to the sender" in moss.text
    assert "Give it to" not in moss.text
    token = moss.page.select_one("input[name=csrf]")["value"]
    await moss.post(f"/staff/submissions/{one}/assign", {"csrf": token, "to": "nobody"})
    assert moss.status == 403
    assert "Your role can't hand over submissions" in moss.text


async def test_closing_without_a_reason_keeps_what_was_typed(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.move(one, "closed-done", "", "Half a reason")
    assert ann.status == 422
    assert "Choose what came of it" in ann.text
    assert ann.page.select_one("#reason").get_text().strip() == "Half a reason"
    assert ann.page.select_one("input[checked]")["value"] == "closed-done"


async def test_a_move_that_is_not_in_the_table_is_refused(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.move(one, "on-hold")
    assert ann.status == 422
    assert "can't go from “New” to “On hold”" in ann.text


async def test_the_second_of_two_sees_both_and_loses_nothing(house):
    one = await sent(house)
    ann, bob = await browser(house), await browser(house, "Bob")
    await bob.go(f"/staff/submissions/{one}/status")
    await (await ann.open(one)).take()
    await bob.send("/status", to="closed-done", outcome="advice", reason="Bob's long reason")
    assert bob.status == 409
    assert "owner: Ann" in bob.text
    assert "Ann took it" in bob.text
    assert "To change it to “Closed: done”" in bob.text
    assert bob.page.select_one("#reason").get_text().strip() == "Bob's long reason"
    await bob.send("/status", to="closed-done")
    assert "Closed: done" in bob.text
    assert "Bob's long reason" in bob.text


async def test_taking_or_giving_what_just_changed_asks_again(house):
    one = await sent(house)
    ann, bob = await browser(house), await browser(house, "Bob")
    await bob.open(one)
    await (await ann.open(one)).take()
    await bob.take()
    assert bob.status == 409
    assert "To take it yourself" in bob.text
    await bob.take()
    assert "This is yours now" in bob.text
    await ann.give(await id_of(house, "Bob"))
    assert ann.status == 409
    assert "To give it to Bob" in ann.text


async def test_what_is_not_there_says_so_plainly(house):
    ann = await browser(house)
    for address in ("/staff/submissions/nothing", "/staff/alerts/nothing", "/staff/nothing"):
        await ann.go(address)
        assert ann.status == 404
        assert "Page not found" in ann.text


# --- Notes and replies ----------------------------------------------------------------------


async def from_telegram(house, one):
    where = SubmissionRow.id == one
    await set_to(house, SubmissionRow, where, sender="telegram:77", channel="telegram")


async def test_a_note_never_reaches_a_sender(house):
    one = await sent(house)
    await from_telegram(house, one)
    ann = await browser(house)
    await ann.note(one, "Canary note")
    assert "Only staff can see this" in ann.text
    assert "Canary note" in ann.text
    await ann.reply(one, "Our answer")
    (row,) = await rows(house, SubmissionRow)
    assert "Our answer" in repr(await rows(house, Outbox))
    assert "Canary" not in repr(await rows(house, Outbox))
    assert "Canary" not in repr([row.payload, await rows(house, Reply), await rows(house, Audit)])
    sender = Staff(house.site)
    async with house.database.reading() as db:
        code = await conversations.return_code(db, row.conversation)
    await sender.go("/reply")
    await sender.post("/reply", {"reference": row.reference, "code": code})
    assert "Our answer" in sender.text
    assert "Canary" not in sender.response.text


async def test_notes_and_replies_have_forms_and_addresses_of_their_own(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/notes")
    assert not [f for f in ann.page.select("form") if "reply" in f.get("action", "")]
    await ann.go(f"/staff/submissions/{one}/reply")
    assert not [f for f in ann.page.select("form") if "notes" in f.get("action", "")]


async def test_a_reply_is_seen_exactly_as_it_arrives_before_it_goes(house):
    one = await sent(house)
    await from_telegram(house, one)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    assert "Telegram chat" in ann.text
    await ann.send("/reply/check", text="First\n\nsecond <b>")
    preview = ann.page.select_one(".staff-preview").get_text()
    assert await rows(house, Outbox) == []
    await ann.send("/reply/send")
    (letter,) = await rows(house, Outbox)
    assert letter.payload["text"] == preview
    assert "First\n\nsecond <b>" in preview
    assert "Waiting to go out" in ann.text
    (row,) = await rows(house, SubmissionRow)
    assert (row.status, row.replied_at is not None) == ("triage", True)


async def test_a_reply_can_be_changed_before_it_goes(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    await ann.send("/reply/check", text="Almost right")
    await ann.post(f"/staff/submissions/{one}/reply", _fields_of(ann, "/reply/send"))
    assert ann.page.select_one("#text").get_text().strip() == "Almost right"
    assert await rows(house, Reply) == []


def _fields_of(here, action):
    return {field["name"]: field["value"] for field in here.form(action).select("input")}


async def test_pressing_send_twice_sends_once(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    await ann.send("/reply/check", text="Once")
    fields = _fields_of(ann, "/reply/send")
    for _ in range(2):
        await ann.post(f"/staff/submissions/{one}/reply/send", fields)
        assert ann.status == 200
    assert len(await rows(house, Reply)) == 1


async def test_two_who_reply_at_once_see_both_texts(house):
    one = await sent(house)
    ann, bob = await browser(house), await browser(house, "Bob")
    await bob.go(f"/staff/submissions/{one}/reply")
    await ann.reply(one, "Ann's answer")
    await bob.send("/reply/check", text="Bob's answer")
    await bob.send("/reply/send")
    assert bob.status == 409
    assert "Ann's answer" in bob.text
    assert "Bob's answer" in bob.page.select_one(".staff-preview").get_text()
    assert len(await rows(house, Reply)) == 1
    await bob.send("/reply/send")
    assert len(await rows(house, Reply)) == 2


async def test_an_empty_or_endless_reply_keeps_the_text_and_says_why(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    await ann.send("/reply/check", text="x" * 3001)
    assert ann.status == 422
    assert "1 characters too long" in ann.text
    assert len(ann.page.select_one("#text").get_text().strip()) == 3001
    await ann.send("/reply/check", text=" ")
    assert "Write the reply" in ann.text


async def test_whoever_blocked_the_bot_is_said_to_before_and_after(house):
    one = await sent(house)
    await from_telegram(house, one)
    async with house.database.transaction() as db:
        from bot.store.models import Sender

        values = {"address": "telegram:77", "seen_at": house.clock(), "blocked_at": house.clock()}
        await db.execute(sa.insert(Sender).values(**values))
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    await ann.send("/reply/check", text="Hello")
    assert "They have blocked the bot, so this would not arrive" in ann.text
    await ann.send("/reply/send")
    await set_to(house, Outbox, Outbox.id > 0, state="blocked")
    await ann.go("/staff")
    assert "These replies did not arrive" in ann.text
    await ann.open(one)
    assert "Did not arrive: they have blocked the bot" in ann.text
    await ann.move(one, "closed-done", "advice", "Rang them instead")
    await ann.go("/staff")
    assert "These replies did not arrive" not in ann.text


async def test_a_browser_reply_is_waiting_and_then_read(house):
    one = await sent(house)
    ann = await browser(house)
    await ann.go(f"/staff/submissions/{one}/reply")
    assert "on our website" in ann.text
    await ann.reply(one, "Hello")
    assert "Waiting to be read" in ann.text
    await set_to(house, Reply, Reply.submission == one, read_at=house.clock())
    await ann.open(one)
    assert "Read on 23 November 2026" in ann.text


# --- Alerts ---------------------------------------------------------------------------------


async def unsafe(house, until="with-you"):
    answers = {"good": "Canary music", "unsafe": "yes"}
    return await sent(house, "child", flow="my-views-years-7-to-9", until=until, **answers)


async def test_an_alert_is_at_the_top_before_anything_is_sent(house):
    await unsafe(house)
    ann = await browser(house)
    await ann.go("/staff")
    block = ann.page.select_one(".staff-alerts")
    assert "Someone may be unsafe" in block.get_text()
    assert "Answers not sent yet" in block.get_text()
    assert "Canary" not in ann.response.text
    await ann.go(block.a["href"])
    assert "Canary music" in ann.text
    assert "Is anything making you feel scared or unsafe right now? Their answer Yes" in ann.text


async def test_what_was_done_is_required_and_closes_the_alert(house):
    await unsafe(house)
    (alert,) = await rows(house, Alert)
    ann, bob = await browser(house), await browser(house, "Bob")
    await bob.go(f"/staff/alerts/{alert.id}")
    await ann.settle(alert.id, " ")
    assert ann.status == 422
    assert "Say what was done" in ann.text
    await ann.settle(alert.id, "Rang the duty team at ten")
    assert "Rang the duty team at ten" in ann.text
    await bob.send(f"/alerts/{alert.id}", told="police", action="Bob rang too")
    assert bob.status == 409
    assert "Rang the duty team at ten" in bob.text
    assert "Bob rang too" in bob.text
    await ann.go("/staff")
    assert not ann.page.select(".staff-alerts")


async def test_an_alert_that_was_sent_stands_on_its_submission(house):
    one = await unsafe(house, until=None)
    ann = await browser(house)
    await ann.open(one)
    strip = ann.page.select_one(".staff-alert").get_text(" ")
    assert "Someone may be unsafe" in strip
    (alert,) = await rows(house, Alert)
    await ann.settle(alert.id, "Spoke with the carer")
    await ann.open(one)
    assert "Ann said what was done" in " ".join(ann.page.select_one(".staff-alert").text.split())
    assert "said what was done about the safety alert" in ann.text


async def test_a_draft_that_was_deleted_leaves_only_the_alert(house):
    await unsafe(house)
    (alert,) = await rows(house, Alert)
    async with house.database.transaction() as db:
        await erasure.conversation(house.waymark, db, alert.conversation, Why("sender"))
    ann = await browser(house)
    await ann.go(f"/staff/alerts/{alert.id}")
    assert "no longer kept" in ann.text
    assert "Canary" not in ann.text


async def test_a_mentor_sees_the_alert_on_their_own_and_whom_to_tell(house):
    one = await unsafe(house, until=None)
    (alert,) = await rows(house, Alert)
    moss = await browser(house, "Moss", Role.MENTOR)
    await set_to(house, SubmissionRow, SubmissionRow.id == one, owner=await id_of(house, "Moss"))
    await moss.go(f"/staff/alerts/{alert.id}")
    assert "Tell your headteacher or a co-ordinator now" in moss.text
    assert not moss.page.select("#action")


async def test_use_cases_check_for_themselves(house):
    one, moss = await sent(house), await person(house, "Moss", Role.MENTOR)
    with pytest.raises(NotAllowed):
        await review.assign(house.waymark, moss, review.Seen(one, 1), moss.id)


# --- In a real browser ----------------------------------------------------------------------


async def test_pages_fit_a_phone_and_have_no_accessibility_faults(house, page):
    one, _ = await sent(house, story="A long story. " * 20), await unsafe(house)
    await review.write_note(house.waymark, await person(house, "Bob"), one, "A note", "n")
    (alert,) = await rows(house, Alert)
    ann = await browser(house, role=Role.HEADTEACHER)
    site = await _serve(house)
    here = f"/staff/submissions/{one}"
    await page.goto(site.address + "/staff/sign-in")
    await _look(page)
    await ann.sit_down(page.context, site.address)
    for address in (
        "/staff",
        "/staff?priority=low&owner=nobody",
        "/staff?stage=closed",
        "/staff/account",
        here,
        f"{here}/status",
        f"{here}/notes",
        f"{here}/reply",
        f"/staff/alerts/{alert.id}",
        "/staff/nothing",
    ):
        await page.goto(site.address + address)
        await _look(page)
    await site.stop()


async def _look(page):
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url


class _Served:
    def __init__(self, server, task, port):
        self.server, self.task = server, task
        self.address = f"http://127.0.0.1:{port}"

    async def stop(self):
        self.server.should_exit = True
        await self.task


async def _serve(house):
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(house.site, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return _Served(server, task, listening.getsockname()[1])
