"""Who opened what, as the headteacher meets it; and what everybody's pages leave in the log."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from bot import acting, logs, watch
from bot.store import audit, openings, staff
from bot.store.models import Audit, Reply, SubmissionRow
from content.schema import Role
from tests.browser import accessibility_faults
from tests.drivers.staff import Staff
from tests.drivers.waymark import CONTENT, running, served
from web import demo
from web.casework import accounts, passwords, unusual
from web.casework.unusual import Notice

STORY = {
    "danger": "not-now", "harm": "no", "role": "foster-carer", "reply-by": "here",
    "area": "plan", "urgency": "next-pep", "dates": ["none"], "story": "CANARY in the story",
}  # fmt: skip
POLICY = CONTENT.policy.openings


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


async def browser(house, name="Ann", role=Role.EDUCATION_COORDINATOR) -> Staff:
    here = Staff(house.site)
    link = await accounts.add(house.waymark, name, f"{name.casefold()}@example.org", role.value)
    await here.use(link)
    assert here.path == "/staff", here.text
    return here


async def head(house) -> Staff:
    return await browser(house, "Hale", Role.HEADTEACHER)


async def sent(house, name="one"):
    return await demo.Sender(house.waymark, name, demo.Story("raise-a-concern", 1, STORY)).talk()


async def give(house, one, name):
    """As if somebody had handed it to them."""
    owner = await id_of(house, name)
    async with house.database.transaction() as db:
        change = sa.update(SubmissionRow).where(SubmissionRow.id == one)
        await db.execute(change.values(owner=owner))


async def rows(house, *where, table=Audit):
    async with house.database.reading() as db:
        return (await db.execute(sa.select(*table.__table__.columns).where(*where))).all()


async def id_of(house, name="Ann"):
    async with house.database.reading() as db:
        return (await staff.by_email(db, f"{name.casefold()}@example.org")).id


async def opened(house, who, *what, at=None):
    """As if they had opened these, a minute apart."""
    async with house.database.transaction() as db:
        for number, one in enumerate(what):
            moment = (at or house.clock()) + timedelta(minutes=number)
            await audit.record(db, moment, who, "submission.opened", "submission", one)


# --- What is left in the log ----------------------------------------------------------------


async def test_what_is_read_is_in_the_log_before_the_page_is_sent(house):
    ann, one = await browser(house), await sent(house)
    await ann.open(one)
    assert "CANARY in the story" in ann.text
    (line,) = await rows(house, Audit.action == "submission.opened")
    assert (line.actor, line.object_id) == (await id_of(house), one)
    assert (line.acting_as, line.outcome) == ("education-coordinator", "done")
    async with house.database.transaction() as db:
        await db.execute(sa.text("DROP TRIGGER audit_head_delete"))
        await db.execute(sa.text("DELETE FROM audit_head"))
    await ann.open(one)
    assert ann.status == 500
    assert "CANARY" not in ann.text


async def test_a_request_has_one_number_in_the_audit_and_in_the_log(house):
    written = io.StringIO()
    listening = logging.StreamHandler(written)
    listening.setFormatter(logs.Lines())
    ann, one = await browser(house), await sent(house)
    await ann.open(one)
    await ann.open(one)
    first, second = await rows(house, Audit.action == "submission.opened")
    assert first.request_id
    assert first.request_id != second.request_id
    logging.getLogger("waymark").addHandler(listening)
    async with house.database.transaction() as db:
        await db.execute(sa.text("DROP TRIGGER audit_head_delete"))
        await db.execute(sa.text("DELETE FROM audit_head"))
    await ann.http.get(f"/staff/submissions/{one}", headers={"x-request-id": "CANARY"})
    logging.getLogger("waymark").removeHandler(listening)
    (line,) = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (line["event"], len(line["request"])) == ("failed", 16)


async def test_a_refusal_is_kept_though_what_was_refused_is_undone(house):
    moss, one = await browser(house, "Moss", Role.MENTOR), await sent(house)
    await give(house, one, "Moss")
    await moss.open(one)
    csrf = moss.form("/sign-out")
    token = csrf.select_one("[name=csrf]")["value"]
    await moss.post(f"/staff/submissions/{one}/assign", {"csrf": token, "to": "nobody"})
    assert moss.status == 403
    await moss.post("/staff/submissions/Sam Somebody/assign", {"csrf": token, "to": "nobody"})
    told = await rows(house, Audit.action == "access.refused")
    assert [(r.object_id, r.outcome, r.acting_as, r.detail) for r in told] == [
        (one, "refused", "mentor", {"wanted": "assign"}),
        ("unknown", "refused", "mentor", {"wanted": "assign"}),
    ]
    await moss.open(one)
    assert "refused" not in moss.page.select_one("#history").text


async def test_a_failed_sign_in_is_kept_without_what_was_typed(house):
    await browser(house)
    for email in ("ann@example.org", "CANARY@example.org"):
        await Staff(house.site).sign_in(email, "CANARY password")
    told = await rows(house, Audit.action == "staff.sign-in-refused")
    assert [(r.actor, r.object_id, r.outcome) for r in told] == [
        ("nobody", await id_of(house), "refused"),
        ("nobody", "unknown", "refused"),
    ]
    hale = await head(house)
    await hale.go("/staff/audit")
    assert "Failed sign-ins: 2." in hale.text


async def test_no_word_of_anybody_is_in_any_line(house):
    hale, one = await head(house), await sent(house)
    await hale.note(one, "CANARY note")
    await hale.reply(one, "CANARY reply")
    await hale.move(one, "closed-done", "advice", "CANARY reason")
    await hale.go("/staff/submissions/CANARY/readers")
    await hale.go("/staff/audit/people/CANARY")
    assert len(await rows(house)) > 10
    assert len(await rows(house, table=Reply)) == 1
    assert "canary" not in repr(await rows(house)).casefold()
    assert (await watch.verify(house.waymark)).fault is None


# --- For the headteacher only ---------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
async def test_only_the_headteacher_sees_who_opened_what(house, role):
    one = await sent(house)
    here = await browser(house, "Hale", role)
    me = await id_of(house, "Hale")
    await here.open(one)
    links = {str(link["href"]) for link in here.page.select("a[href]")}
    assert ("/staff/audit" in links, f"/staff/submissions/{one}/readers" in links) == (
        role is Role.HEADTEACHER,
    ) * 2
    for path in ("/staff/audit", f"/staff/audit/people/{me}", f"/staff/submissions/{one}/readers"):
        await here.go(path)
        assert here.status == (200 if role is Role.HEADTEACHER else 403), path
    await here.go("/staff/account")
    token = here.form("/staff/account").select_one("[name=csrf]")["value"]
    await here.post("/staff/audit/acknowledge", {"csrf": token, "notice": "x", "upto": "1"})
    assert here.status == (404 if role is Role.HEADTEACHER else 403)


async def test_each_persons_week_is_counted_and_leads_to_their_openings(house):
    one, two = await sent(house), await sent(house, "two")
    await browser(house)
    ann = await id_of(house)
    await opened(house, ann, one, two, one)  # Monday 23 November, 10:00
    await opened(house, ann, one, at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))  # Sunday, late
    hale = await head(house)
    await hale.go("/staff/audit")
    this, last = (cells(table) for table in hale.page.select("table"))
    assert this == [["Ann", "2", "3", "2", "0", "0", "0"]]
    assert last == [["Ann", "1", "1", "1", "1", "1", "0"]]
    await hale.go(f"/staff/audit/people/{ann}")
    told = cells(hale.page.select_one("table"))
    (record,) = [r for r in await rows(house, table=SubmissionRow) if r.id == one]
    assert len(told) == 3
    assert told[0][1] == f"{record.handle}{record.reference}"
    assert "CANARY" not in hale.text
    await hale.go(f"/staff/audit/people/{ann}?week=last")
    assert "out of hours" in cells(hale.page.select_one("table"))[0][0]
    seen = await rows(house, Audit.action == "openings.seen")
    assert [(r.actor, r.object_id) for r in seen] == [(await id_of(house, "Hale"), ann)] * 2


def cells(table):
    lines = [[td.get_text(strip=True) for td in tr.select("td")] for tr in table.select("tbody tr")]
    return [[line[0].removesuffix("Education Co-ordinator"), *line[1:]] for line in lines]


async def test_a_long_list_is_on_pages(house):
    await browser(house)
    ann = await id_of(house)
    await opened(house, ann, *(f"{n:032x}" for n in range(130)))
    hale = await head(house)
    await hale.go(f"/staff/audit/people/{ann}")
    assert len(cells(hale.page.select_one("table"))) == 100
    assert "No longer kept" in hale.text
    await hale.go(str(hale.page.select_one(".govuk-pagination__next a")["href"]))
    assert len(cells(hale.page.select_one("table"))) == 30


async def test_what_a_person_was_not_let_do_is_said(house):
    moss, one = await browser(house, "Moss", Role.MENTOR), await sent(house)
    await give(house, one, "Moss")
    await moss.open(one)
    token = moss.form("/sign-out").select_one("[name=csrf]")["value"]
    await moss.post(f"/staff/submissions/{one}/assign", {"csrf": token, "to": "nobody"})
    hale = await head(house)
    await hale.go(f"/staff/audit/people/{await id_of(house, 'Moss')}")
    assert "Not let hand over submissions" in hale.text


# --- One record -----------------------------------------------------------------------------


async def test_who_has_seen_a_record_is_told_visit_by_visit(house):
    one = await sent(house)
    ann = await browser(house)
    for _ in range(3):
        await ann.open(one)
        house.clock.forward(timedelta(minutes=5))
    house.clock.forward(timedelta(minutes=40))
    hale = await head(house)
    await hale.open(one)
    await hale.go(f"/staff/submissions/{one}/readers")
    told = [line[1:4] for line in cells(hale.page.select_one("table"))]
    assert told == [
        ["Ann", "Education Co-ordinator", "Opened the record, 3 times"],
        ["Hale", "Headteacher", "Opened the record"],
    ]
    assert "CANARY" not in hale.text
    (line,) = await rows(house, Audit.action == "access.seen")
    assert (line.object_type, line.object_id) == ("submission", one)
    await hale.go(f"/staff/submissions/{one}/readers")
    assert len(cells(hale.page.select_one("table"))) == 2, "looking here is not seeing the record"


async def test_for_what_it_was_opened_is_said_in_words(house):
    one = await sent(house)
    await browser(house)
    ann, now = await id_of(house), house.clock()
    async with house.database.transaction() as db:
        await audit.record(db, now, ann, "access.glass", "submission", one, purpose="safety")
        with acting.within(person=ann, role="education-coordinator", purpose="safety"):
            await audit.record(db, now, ann, "submission.opened", "submission", one)
            await audit.record(db, now, ann, "file.shown", "submission", one, name="picture-1.png")
    hale = await head(house)
    await hale.go(f"/staff/submissions/{one}/readers")
    told = [line[3:] for line in cells(hale.page.select_one("table"))]
    assert told == [
        ["Broke the glass to open it", "\N{EN DASH}"],
        ["Opened the record", "Someone may be unsafe"],
        ["Looked at or listened to a file in it", "Someone may be unsafe"],
    ]
    await hale.go(f"/staff/audit/people/{ann}")
    assert "Someone may be unsafe" in hale.text


# --- Unusual openings -----------------------------------------------------------------------


def line(seq, minutes, what, who="ann", action="submission.opened", begin=(2026, 11, 23, 10, 0)):
    at = datetime(*begin, tzinfo=UTC) + timedelta(minutes=minutes)
    return type("Line", (), {"seq": seq, "at": at, "actor": who, "action": action,
                             "object_id": what})()  # fmt: skip


def noticed(*lines):
    return [(n.kind, n.person, str(n.day), n.count, n.upto) for n in unusual.notices(POLICY, lines)]


def test_more_records_within_an_hour_than_the_policy_allows():
    most = POLICY.records_in_an_hour
    assert noticed(*(line(n, n, f"r{n}") for n in range(most))) == []
    over = [line(n, n, f"r{n}") for n in range(most + 1)]
    assert noticed(*over) == [("many", "ann", "2026-11-23", most + 1, most)]
    again = [line(n, n, f"r{n % most}") for n in range(3 * most)]
    assert noticed(*again) == [], "the same records again are no more records"
    slowly = [line(n, n * 3, f"r{n}") for n in range(3 * most)]
    assert noticed(*slowly) == [], "spread over hours"
    shared = [line(n, n, f"r{n}", who=f"p{n % 2}") for n in range(most + 1)]
    assert noticed(*shared) == [], "two people"


@pytest.mark.parametrize(
    ("begin", "day"),
    [
        ((2026, 11, 23, 21, 59), None),
        ((2026, 11, 23, 22, 0), "2026-11-23"),
        ((2026, 11, 24, 5, 59), "2026-11-23"),
        ((2026, 11, 24, 6, 0), None),
        ((2026, 7, 1, 21, 0), "2026-07-01"),  # 10pm in London in summer
        ((2026, 7, 1, 5, 0), None),  # 6am there
    ],
)
def test_the_night_is_londons(begin, day):
    told = noticed(line(7, 0, "r", begin=begin))
    assert told == ([("night", "ann", day, 1, 7)] if day else [])


def test_many_refusals_in_a_day():
    most = POLICY.refusals_in_a_day
    refused = [line(n, n, "r", action=openings.REFUSED) for n in range(most + 1)]
    assert noticed(*refused[:-1]) == []
    assert noticed(*refused) == [("refused", "ann", "2026-11-23", most + 1, most)]


def test_what_a_sender_does_at_night_is_nobodys_business():
    assert noticed(line(1, 0, "r", who="sender", begin=(2026, 11, 23, 23, 0))) == []


async def test_an_unusual_opening_waits_on_the_queue_until_somebody_looked_into_it(house):
    ann = await browser(house)
    who = await id_of(house)
    await opened(
        house, who, *(f"{n:032x}" for n in range(31)), at=house.clock() - timedelta(hours=1)
    )
    hale = await head(house)
    await hale.go("/staff")
    assert "1 unusual opening of records" in hale.text
    await ann.go("/staff")
    assert "unusual" not in ann.text
    await hale.go("/staff/audit")
    assert "Ann opened 31 different records within an hour, Monday 23 November." in hale.text
    await hale.send("/acknowledge")
    assert "You have said that you looked into this" in hale.text
    await hale.go("/staff")
    assert "unusual" not in hale.text
    (told,) = await rows(house, Audit.action == "unusual.acknowledged")
    last = (await rows(house, Audit.action == "submission.opened"))[-1]
    assert (told.actor, told.detail) == (await id_of(house, "Hale"), {"upto": last.seq})
    await opened(house, who, "f" * 32, at=house.clock() - timedelta(minutes=20))
    await hale.go("/staff")
    assert "1 unusual opening" in hale.text, "more of the same is unusual anew"


async def test_what_was_not_on_the_page_is_not_acknowledged(house):
    await browser(house)
    who, at = await id_of(house), datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    await opened(house, who, "a" * 32, at=at)
    hale = await head(house)
    await hale.go("/staff/audit")
    await opened(house, who, "b" * 32, at=at + timedelta(hours=1))
    await hale.send("/acknowledge")
    assert "Ann opened 2 records in the night, Sunday 22 November." in hale.text


def test_a_notice_names_no_record():
    notice = Notice("night", "ann", datetime(2026, 11, 23, tzinfo=UTC).date(), 1, 7)
    assert (notice.key, notice.words) == ("night:ann:2026-11-23", "opened 1 record in the night")


# --- The log itself -------------------------------------------------------------------------


async def test_how_the_log_is_doing_is_said_in_plain_words(house):
    hale = await head(house)
    await hale.go("/staff/audit")
    assert "Not verified yet" in hale.text
    assert "No place outside is set" in hale.text
    await watch.verify(house.waymark)
    await hale.go("/staff/audit")
    assert "23 November 2026, 10:00am" in hale.page.select_one("#log").text
    async with house.database.transaction() as db:
        await db.execute(sa.text("DROP TRIGGER audit_update"))
        await db.execute(sa.text("UPDATE audit SET actor = 'other' WHERE seq = 2"))
    await watch.verify(house.waymark)
    await hale.go("/staff/audit")
    assert "It is not as it was written. Line 2 was changed" in hale.text
    await hale.go("/staff")
    assert "The log of who did what needs you." in hale.text


async def test_an_anchor_that_fails_or_is_late_is_shown(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    async with running(tmp_path, audit_anchor=str(tmp_path / "file" / "anchors")) as house:
        hale = await head(house)
        await watch.look(house.waymark)
        await hale.go("/staff/audit")
        assert "Failed, 23 November 2026, 10:00am" in hale.text
        (tmp_path / "file").unlink()
        house.clock.forward(timedelta(minutes=70))
        await watch.look(house.waymark)
        hale = await head(house)
        await hale.go("/staff/audit")
        assert "Failed" not in hale.page.select_one("#log").text
        assert "11:10am" in hale.page.select_one("#log").text
        house.clock.forward(timedelta(hours=4))
        hale = await head(house)
        await hale.go("/staff/audit")
        assert "11:10am late" in hale.page.select_one("#log").get_text(" ", strip=True)


async def test_reading_who_opened_what_goes_by_an_index(house):
    async with house.database.reading() as db:
        asked = (
            "EXPLAIN QUERY PLAN SELECT seq FROM audit WHERE action IN ('a', 'b') AND at >= 'x' "
            "AND at < 'y' ORDER BY at, seq",
            "EXPLAIN QUERY PLAN SELECT seq FROM audit WHERE object_id IN ('a', 'b') "
            "ORDER BY at, seq",
        )
        plans = [" ".join(r.detail for r in await db.execute(sa.text(one))) for one in asked]
    assert "ix_audit_action_at" in plans[0]
    assert "ix_audit_object_id" in plans[1]


async def test_the_pages_fit_a_phone_and_have_no_accessibility_faults(tmp_path, page):
    async with served(tmp_path, audit_anchor=str(tmp_path / "anchors")) as (house, address):
        one = await sent(house)
        await browser(house)
        ann = await id_of(house)
        await opened(house, ann, one, at=datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
        await opened(house, ann, "a" * 32)
        link = await accounts.add(house.waymark, "Hale", "hale@example.org", "headteacher")
        await page.goto(address + "/staff" + link.split("/staff", 1)[1])
        await page.get_by_role("main").get_by_role("button").first.click()
        for path in ("", "/audit", f"/audit/people/{ann}", f"/submissions/{one}/readers"):
            await page.goto(f"{address}/staff{path}")
            for width in (320, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                wide = "document.documentElement.scrollWidth - innerWidth"
                assert await page.evaluate(wide) <= 0, path
                assert await accessibility_faults(page) == [], path
