"""Sharing, restricting, saying why, breaking the glass, finding and taking lists away, as staff
meet them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from bot.errors import NotAllowed, ReasonNeeded, UnknownSubmission
from bot.store.models import AccessGrant, Audit, SubmissionLink, SubmissionRow
from content.schema import Role
from tests.browser import accessibility_faults
from tests.drivers.staff import Staff
from tests.drivers.waymark import running, served
from tests.opened import rows as opened
from web import demo
from web.casework import access, accounts, exports, record, review
from web.casework.permissions import Person
from web.casework.reasons import Why
from web.casework.review import Seen

HERE, THERE = "virtual-school", "transitions"
WHY = {"purpose": "cover", "words": "Tamsin is away <this> week"}
CONCERN = {"danger": "not-now", "harm": "no", "role": "foster-carer", "story": "Canary story"}


@pytest.fixture
async def house(tmp_path):
    async with running(tmp_path) as house:
        yield house


async def desk(house, name, role=Role.EDUCATION_COORDINATOR, team=HERE) -> Staff:
    here = Staff(house.site)
    link = await accounts.add(house.waymark, name, f"{name}@example.org", role.value, team)
    return await here.use(link)


async def person(house, name, role=Role.EDUCATION_COORDINATOR, team=HERE) -> Person:
    async with house.database.transaction() as db:
        id_ = await accounts.make(house.waymark, db, name, f"{name}@example.org", role, team)
    return Person(id_, name, role, team)


async def sent(house, name="one", **answers) -> str:
    story = demo.Story("raise-a-concern", 1, {**CONCERN, **answers})
    return await demo.Sender(house.waymark, name, story).talk()


async def rows(house, table, *where):
    return await opened(house.waymark, table, *where)


async def one_of(house, owner: Person, restricted: bool = False) -> SubmissionRow:
    """A submission that is somebody's, by the rules."""
    id_ = await sent(house)
    await review.take(house.waymark, owner, Seen(id_, 1))
    if restricted:
        head = await person(house, "Head", Role.HEADTEACHER)
        await access.restrict(house.waymark, head, Seen(id_, 2), on=True)
    (row,) = await rows(house, SubmissionRow, SubmissionRow.id == id_)
    return row


# --- Saying why -----------------------------------------------------------------------------


async def test_another_teams_opens_after_a_reason_for_a_working_day(house):
    tam, one = await person(house, "Tam", team=THERE), None
    one = await one_of(house, tam)
    ann = await desk(house, "Ann")
    assert one.handle not in (await ann.go("/staff")).text
    await ann.open(one.id)
    assert ann.path.endswith("/reason")
    assert "This is not in your caseload" in ann.text
    assert one.handle not in ann.response.text
    await ann.send("/reason", **WHY)
    assert "for 8 hours" in ann.text
    assert "Canary story" in ann.text
    assert one.handle in (await ann.go("/staff")).text
    await ann.note(one.id, "Looked in for Tamsin")
    assert ann.status == 200
    house.clock.forward(timedelta(hours=7))
    ann = await desk(house, "Ann")
    assert (await ann.open(one.id)).status == 200
    house.clock.forward(timedelta(hours=1))
    ann = await desk(house, "Ann")
    assert (await ann.open(one.id)).path.endswith("/reason")
    assert one.handle not in (await ann.go("/staff")).text


async def test_the_reason_stands_in_the_history_and_the_audit_holds_no_words(house):
    tam = await person(house, "Tam", team=THERE)
    one = await one_of(house, tam)
    ann = await desk(house, "Ann")
    await ann.open(one.id)
    await ann.send("/reason", **WHY)
    history = ann.page.select_one("#history").get_text(" ", strip=True)
    assert "Ann gave a reason to open it: “Covering for a colleague”" in history
    assert "“Tamsin is away <this> week”" in history
    (line,) = await rows(house, Audit, Audit.action == "access.reason")
    (grant,) = await rows(house, AccessGrant)
    assert line.detail == {"purpose": "cover", "grant": grant.id}
    assert line.object_id == one.id


async def test_the_audit_says_what_it_was_opened_for_and_who_was_not_let(house):
    one = await one_of(house, await person(house, "Tam", team=THERE))
    ann, moss = await desk(house, "Ann"), await desk(house, "Moss", Role.MENTOR)
    await ann.open(one.id)
    await ann.send("/reason", **WHY)
    (line,) = await rows(house, Audit, Audit.action == "submission.opened")
    assert (line.object_id, line.purpose) == (one.id, "cover")
    for kept in (one.id, "0" * 32):
        assert (await moss.open(kept)).status == 404
    lines = await rows(house, Audit, Audit.action == "access.refused")
    assert [line.object_id for line in lines] == [one.id, "0" * 32]
    assert {line.detail["wanted"] for line in lines} == {"open-submission"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Choose what it is for"),
        ({"purpose": "nosy", "words": "x" * 30}, "Choose what it is for"),
        ({"purpose": "cover", "words": "  because  "}, "Say why in a few words"),
    ],
)
async def test_half_a_reason_opens_nothing_and_keeps_what_was_typed(house, given, said):
    one = await one_of(house, await person(house, "Tam", team=THERE))
    ann = await desk(house, "Ann")
    await ann.open(one.id)
    await ann.send("/reason", **given)
    assert ann.status == 422
    assert said in ann.text
    assert given.get("words", "") in ann.page.select_one("#words").get_text()
    assert await rows(house, AccessGrant) == []


async def test_what_was_being_written_is_given_back_when_it_went_elsewhere(house):
    mia = await person(house, "Mia")
    one = await one_of(house, mia)
    ann = await desk(house, "Ann")
    await ann.go(f"/staff/submissions/{one.id}/notes")
    tam = await person(house, "Tam", team=THERE)
    await review.assign(house.waymark, mia, Seen(one.id, 2), tam.id)
    await ann.send("/notes", text="An hour's <careful> work")
    assert ann.status == 403
    assert "This is not in your caseload" in ann.text
    assert ann.page.select_one("#typed").get_text() == "An hour's <careful> work"
    assert one.handle not in ann.response.text
    assert ann.page.select_one("main a")["href"] == f"/staff/submissions/{one.id}/reason"


async def test_a_reason_opens_nothing_that_is_restricted(house):
    tam = await person(house, "Tam", team=THERE)
    one = await one_of(house, tam)
    ann = await person(house, "Ann")
    await access.give_reason(house.waymark, ann, one.id, Why(**WHY))
    await record.open_(house.waymark, ann, one.id)
    head = await person(house, "Head", Role.HEADTEACHER)
    await access.restrict(house.waymark, head, Seen(one.id, 2), on=True)
    for use in (record.open_, access.needs_reason):
        with pytest.raises(UnknownSubmission):
            await use(house.waymark, ann, one.id)
    with pytest.raises(UnknownSubmission):
        await access.give_reason(house.waymark, ann, one.id, Why(**WHY))


# --- Breaking the glass -----------------------------------------------------------------------


async def test_the_glass_opens_for_an_hour_and_the_headteacher_is_told(house):
    one = await one_of(house, await person(house, "Mia"), restricted=True)
    ann = await desk(house, "Ann")
    await ann.go("/staff")
    await ann.go(ann.page.find("a", string="break the glass")["href"])
    typed = one.reference.lower().replace("-", " ")
    await ann.send("/break-glass", reference=typed, **WHY)
    assert ann.path == f"/staff/submissions/{one.id}"
    assert "for 60 minutes" in ann.text
    assert "Canary story" in ann.text
    assert not ann.page.select("form[action$='/take'], form[action$='/assign']")
    assert not ann.page.select("a[href$='/status'], a[href$='/share']")
    (line,) = await rows(house, Audit, Audit.action == "access.glass")
    assert (line.object_id, line.detail["purpose"]) == (one.id, "cover")

    hilda = await desk(house, "Hilda", Role.HEADTEACHER)
    told = (await hilda.go("/staff")).page.select_one("[aria-labelledby=notices]")
    assert "Ann opened" in told.get_text(" ", strip=True)
    assert "Tamsin is away <this> week" in told.get_text()
    assert one.handle in told.get_text()
    await hilda.post(f"/staff{told.form['action'].removeprefix('/staff')}", _token(hilda))
    assert "You have taken note" in hilda.text
    assert not hilda.page.select("[aria-labelledby=notices]")
    await hilda.open(one.id)
    history = hilda.page.select_one("#history").get_text(" ", strip=True)
    assert "Ann broke the glass to open it: “Covering for a colleague”" in history
    assert "Hilda took note that the glass was broken" in history

    house.clock.forward(timedelta(minutes=61))
    ann = await desk(house, "Ann")
    assert (await ann.open(one.id)).status == 404
    assert one.handle not in (await ann.go("/staff")).response.text


def _token(here: Staff) -> dict[str, str]:
    return {"csrf": here.page.select_one("input[name=csrf]")["value"]}


async def test_glass_is_not_broken_for_what_opens_without(house):
    mia = await person(house, "Mia")
    near, far = await one_of(house, mia), await sent(house, "two")
    tam = await person(house, "Tam", team=THERE)
    await review.take(house.waymark, tam, Seen(far, 1))
    (far_row,) = await rows(house, SubmissionRow, SubmissionRow.id == far)
    ann = await desk(house, "Ann")
    for row, where in ((near, f"/{near.id}"), (far_row, "/reason")):
        await ann.go("/staff/break-glass")
        await ann.send("/break-glass", reference=row.reference, **WHY)
        assert ann.path.endswith(where)
    assert await rows(house, AccessGrant) == []


async def test_guessing_references_comes_to_an_end_and_is_written_down(house):
    one = await one_of(house, await person(house, "Mia"), restricted=True)
    ann = await desk(house, "Ann")
    most = house.waymark.content.policy.limits.wrong_codes.sender
    for number in range(most):
        await ann.go("/staff/break-glass")
        await ann.send("/break-glass", reference=f"VS-000{number % 10}-0000", **WHY)
        assert ann.status == 422
        assert "No submission has this reference" in ann.text
        assert ann.page.select_one("#words").get_text().strip() == WHY["words"]
    await ann.send("/break-glass", reference=one.reference, **WHY)
    assert ann.status == 429
    assert await rows(house, AccessGrant) == []
    missed = await rows(house, Audit, Audit.action == "access.missed")
    assert len(missed) == most
    assert all("VS-" not in repr(line.detail) for line in missed)


@pytest.mark.parametrize("role", [Role.HEADTEACHER, Role.MENTOR])
async def test_who_has_no_use_for_the_glass_is_not_shown_it(house, role):
    here = await desk(house, "Other", role)
    assert "break the glass" not in here.text
    assert (await here.go("/staff/break-glass")).status == 403


# --- Sharing ----------------------------------------------------------------------------------


async def test_a_mentor_sees_what_is_shared_with_them_while_it_is(house):
    mia = await person(house, "Mia")
    one = await one_of(house, mia)
    moss = await desk(house, "Moss", Role.MENTOR)
    assert (await moss.open(one.id)).status == 404
    ann = await desk(house, "Ann")
    await ann.open(one.id)
    await ann.go(f"/staff/submissions/{one.id}/share")
    options = {option.get_text(): option["value"] for option in ann.page.select("#with option")}
    assert not [label for label in options if label.startswith(("Mia", "Ann"))]
    (moss_id,) = (value for label, value in options.items() if label.startswith("Moss"))
    await ann.send("/share", **{"with": moss_id, "lasts": "week"})
    assert "Shared with Moss until" in ann.text
    assert await moss.handles() == [one.handle]
    assert "Canary story" in (await moss.open(one.id)).text
    await moss.note(one.id, "Met at the library")
    assert moss.status == 200
    await ann.open(one.id)
    await ann.send("/share/stop")
    assert "You have stopped sharing" in ann.text
    assert "stopped sharing it with Moss" in ann.text
    assert (await moss.open(one.id)).status == 404
    assert await moss.handles() == []


async def test_what_is_shared_for_a_week_ends_with_it(house):
    ann, moss = await person(house, "Ann"), await person(house, "Moss", Role.MENTOR)
    one = await one_of(house, ann)
    await access.share(house.waymark, ann, one.id, moss.id, "week")
    await record.open_(house.waymark, moss, one.id)
    house.clock.forward(timedelta(days=8))
    with pytest.raises(UnknownSubmission):
        await record.open_(house.waymark, moss, one.id)
    await access.share(house.waymark, ann, one.id, moss.id, "open")
    house.clock.forward(timedelta(days=400))
    await record.open_(house.waymark, moss, one.id)
    assert len(await rows(house, SubmissionLink)) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"with": "", "lasts": "week"}, "Choose whom to share it with"),
        ({"with": "nobody", "lasts": "week"}, "Choose whom to share it with"),
        ({"with": "moss", "lasts": "ever"}, "Choose for how long"),
    ],
)
async def test_half_a_sharing_is_asked_again(house, given, said):
    one = await one_of(house, await person(house, "Mia"))
    moss = await person(house, "Moss", Role.MENTOR)
    ann = await desk(house, "Ann")
    await ann.go(f"/staff/submissions/{one.id}/share")
    await ann.send("/share", **{**given, "with": given["with"].replace("moss", moss.id)})
    assert ann.status == 422
    assert said in ann.text
    assert await rows(house, SubmissionLink) == []


# --- Restricting ------------------------------------------------------------------------------


async def test_a_restricted_one_is_gone_for_the_team_and_there_for_its_owner(house):
    mia = await desk(house, "Mia")
    one = await sent(house)
    await (await mia.open(one)).take()
    ann, hilda = await desk(house, "Ann"), await desk(house, "Hilda", Role.HEADTEACHER)
    assert (await ann.open(one)).status == 200
    await hilda.open(one)
    await hilda.send("/restrict")
    assert "This is restricted now" in hilda.text
    assert (await ann.open(one)).status == 404
    assert await ann.handles() == []
    assert ann.counts()["Open"] == 0
    await mia.open(one)
    assert "Restricted" in mia.page.select_one(".staff-head").get_text()
    assert not mia.page.select("form[action$='/assign'], a[href$='/share']")
    await hilda.send("/restrict")
    assert "not restricted any more" in hilda.text
    assert (await ann.open(one)).status == 200


async def test_restricting_what_just_changed_asks_again(house):
    mia = await person(house, "Mia")
    one = await one_of(house, mia)
    hilda = await desk(house, "Hilda", Role.HEADTEACHER)
    await hilda.open(one.id)
    bob = await person(house, "Bob")
    await review.assign(house.waymark, mia, Seen(one.id, 2), bob.id)
    await hilda.send("/restrict")
    assert hilda.status == 409
    assert "To restrict it" in hilda.text
    await hilda.send("/restrict")
    assert "This is restricted now" in hilda.text


async def test_handing_over_moves_it_to_the_other_team(house):
    ann, tam = await person(house, "Ann"), await person(house, "Tam", team=THERE)
    one = await one_of(house, ann)
    assert one.team == HERE
    await review.assign(house.waymark, ann, Seen(one.id, 2), tam.id)
    (row,) = await rows(house, SubmissionRow)
    assert (row.owner, row.team) == (tam.id, THERE)
    with pytest.raises(ReasonNeeded):
        await record.open_(house.waymark, ann, one.id)
    await review.assign(house.waymark, tam, Seen(one.id, 3), "nobody")
    (row,) = await rows(house, SubmissionRow)
    assert (row.owner, row.team) == (None, None)
    await record.open_(house.waymark, ann, one.id)


async def test_whoever_is_shared_with_or_let_in_hands_nothing_on(house):
    ann, tam = await person(house, "Ann"), await person(house, "Tam", team=THERE)
    one = await one_of(house, tam)
    await access.give_reason(house.waymark, ann, one.id, Why(**WHY))
    with pytest.raises(NotAllowed, match="can't share submissions that are restricted or outside"):
        await access.share(house.waymark, ann, one.id, ann.id, "open")
    with pytest.raises(NotAllowed, match="can't hand over"):
        await review.assign(house.waymark, ann, Seen(one.id, 2), ann.id)


# --- Finding ----------------------------------------------------------------------------------


async def test_a_reference_or_two_words_find_what_may_be_opened(house):
    one = await one_of(house, await person(house, "Mia"))
    ann = await desk(house, "Ann")
    for typed in (one.reference, one.reference[3:].lower(), f"  {one.handle.upper()} "):
        await ann.go("/staff")
        form = ann.page.select_one("form[action='/staff/find']")
        assert form["method"] == "get"
        await ann.go(f"/staff/find?q={typed}")
        assert [link.get_text() for link in ann.page.select(".staff-handle")] == [one.handle]
    for typed in ("", one.reference[:-1], one.handle.split()[0], "%", "VS-____-____", "é" * 99):
        await ann.go(f"/staff/find?q={typed}")
        assert ann.status == 200
        assert not ann.page.select(".staff-handle")


async def test_what_is_elsewhere_asks_why_and_names_nothing(house):
    one = await one_of(house, await person(house, "Tam", team=THERE))
    ann, moss = await desk(house, "Ann"), await desk(house, "Moss", Role.MENTOR)
    await ann.go(f"/staff/find?q={one.reference}")
    assert "is not in your caseload" in ann.text
    assert one.handle not in ann.response.text
    await ann.go(ann.page.select_one("main a[href$='/reason']")["href"])
    assert "This is not in your caseload" in ann.text
    await moss.go(f"/staff/find?q={one.reference}")
    assert "caseload" not in moss.text
    assert "Nothing that you can open is called exactly that" in moss.text


# --- Lists that leave -------------------------------------------------------------------------


async def test_a_list_leaves_counted_and_written_down_with_no_words_in_it(house):
    await one_of(house, await person(house, "Mia"))
    await sent(house, "two", urgency="tomorrow")
    ann = await desk(house, "Ann")
    await ann.go("/staff?owner=nobody&priority=standard&priority=low&priority=high&priority=urgent")
    form = ann.page.select_one("form[action='/staff/queue/export']")
    fields = [(field["name"], field["value"]) for field in form.select("input")]
    got = await ann.http.post(
        "/staff/queue/export", data={n: [v for m, v in fields if m == n] for n, _ in fields}
    )
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert got.headers["content-disposition"] == 'attachment; filename="queue-2026-11-23.csv"'
    assert got.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(got.content.decode("utf-8-sig"))))
    assert [line["Owner"] for line in lines] == [""]
    assert "Canary" not in got.text
    (line,) = await rows(house, Audit, Audit.action == "export.made")
    assert line.detail["count"] == 1
    assert (line.detail["stage"], line.detail["owner"]) == ("open", "nobody")
    assert line.detail["priority"] == "high+low+standard+urgent"


async def test_words_in_an_address_do_not_reach_the_audit(house):
    ann = await desk(house, "Ann")
    await ann.go("/staff")
    await ann.post("/staff/queue/export", {**_token(ann), "owner": "Canary", "stage": "Canary"})
    assert ann.status == 200
    assert "Canary" not in repr(await rows(house, Audit))


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "\n=1", "  =1", "\ufeff=1", "＝1"],  # noqa: RUF001
)
def test_no_cell_is_a_formula(cell):
    written = exports.table(["a"], [[cell]]).decode("utf-8-sig")
    (_, (read,)) = list(csv.reader(io.StringIO(written, newline="")))
    assert read == f"'{cell}"
    assert f'"\'{cell}"' in written


def test_every_cell_is_in_quotes_and_plain_ones_are_left_alone():
    assert exports.table(["A", "B"], [['say "no"', "a,b\nc"]]) == (
        b'\xef\xbb\xbf"A","B"\r\n"say ""no""","a,b\nc"\r\n'
    )


# --- What is new ------------------------------------------------------------------------------


async def test_an_open_queue_hears_of_what_is_new_and_does_not_keep_anybody_signed_in(house):
    ann = await desk(house, "Ann")
    await ann.go("/staff")
    since = ann.page.select_one("#news")["data-since"]

    async def asked():
        return await ann.http.get("/staff/queue/new", params={"since": since})

    assert (await asked()).json() == {"changed": 0, "alerts": 0}
    for number in range(7):
        if number == 2:
            await sent(house)
        house.clock.forward(timedelta(minutes=4))
        told = await asked()
        assert told.json()["changed"] == (1 if number >= 2 else 0)
    house.clock.forward(timedelta(minutes=3))
    assert (await asked()).headers["location"].startswith("/staff/sign-in")
    assert (await ann.go("/staff")).path == "/staff/sign-in"


async def test_what_was_handled_or_shared_since_is_new_too(house):
    ann, moss = await person(house, "Ann"), await desk(house, "Moss", Role.MENTOR)
    one = await one_of(house, ann)
    await moss.go("/staff")
    since = moss.page.select_one("#news")["data-since"]

    async def changed():
        got = await moss.http.get("/staff/queue/new", params={"since": since})
        return got.json()["changed"]

    await review.write_note(house.waymark, ann, one.id, "A note", "n")
    assert await changed() == 0
    (moss_row,) = [p for p in await _team(house) if p.name == "Moss"]
    await access.share(house.waymark, ann, one.id, moss_row.id, "open")
    assert await changed() == 1


async def _team(house):
    from bot.store.models import Staff as Table

    return await rows(house, Table)


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-23", "2026-11-23T10:00", "é"])
async def test_a_moment_that_makes_no_sense_is_now(house, since):
    await sent(house)
    ann = await desk(house, "Ann")
    got = await ann.http.get("/staff/queue/new", params={"since": since})
    assert got.json() == {"changed": 0, "alerts": 0}


# --- In a real browser ------------------------------------------------------------------------


async def test_the_pages_fit_a_phone_and_have_no_accessibility_faults(tmp_path, page):
    async with served(tmp_path) as (house, address):
        tam = await person(house, "Tam", team=THERE)
        far, near = await one_of(house, tam), await sent(house, "two")
        shut = await sent(house, "three")
        head = await person(house, "Head", Role.HEADTEACHER)
        await access.restrict(house.waymark, head, Seen(shut, 1), on=True)
        (shut_row,) = await rows(house, SubmissionRow, SubmissionRow.id == shut)
        bob = await person(house, "Bob")
        await access.break_glass(house.waymark, bob, shut_row.reference, Why(**WHY))
        await access.share(house.waymark, bob, near, tam.id, "week")
        seen = {
            "Ann": (
                "/staff", f"/staff/submissions/{far.id}", "/staff/break-glass",
                f"/staff/find?q={far.reference}", f"/staff/submissions/{near}/share",
            ),
            "Head": ("/staff", f"/staff/submissions/{near}", f"/staff/submissions/{shut}"),
        }  # fmt: skip
        for name, pages in seen.items():
            here = await desk(house, name, head.role if name == "Head" else bob.role)
            await page.context.clear_cookies()
            await here.sit_down(page.context, address)
            for path in pages:
                await page.goto(address + path)
                assert "/sign-in" not in page.url
                await _look(page)
                if await page.query_selector("main form[method=post] .govuk-button"):
                    await page.click("main form[method=post] .govuk-button >> nth=-1")
                    await page.wait_for_load_state()
                    await _look(page)


async def _look(page):
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url


async def test_an_open_queue_says_what_is_new_by_itself(tmp_path, page):
    async with served(tmp_path) as (house, address):
        here = await desk(house, "Ann", Role.MENTOR)
        await here.sit_down(page.context, address)
        await page.clock.install()
        await page.goto(f"{address}/staff")
        assert not await page.is_visible("#news")
        one = await sent(house)
        head = await person(house, "Head", Role.HEADTEACHER)
        (ann,) = [row for row in await _team(house) if row.name == "Ann"]
        await access.share(house.waymark, head, one, ann.id, "open")
        await page.clock.fast_forward("01:01")
        await page.wait_for_selector("#news:not([hidden])")
        said = await page.inner_text("#news")
        assert said.startswith("1 submission is new or changed.")
        await page.click("#news a")
        assert await page.locator(".staff-handle").count() == 1


# --- Teams --------------------------------------------------------------


async def test_a_team_is_one_of_the_councils(house):
    with pytest.raises(ValueError, match="Choose from: virtual-school, transitions"):
        await accounts.add(house.waymark, "Ann", "a@b.org", "mentor", "no-such-team")
    tam = await desk(house, "Tam", team=THERE)
    assert "Education transitions" in (await tam.go("/staff/account")).text
    tam = await desk(house, "Tam", team=HERE)
    await tam.go("/staff/account")
    assert "Team Virtual School" in tam.text
