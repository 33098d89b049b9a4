"""Reading a reply with reference and return code."""

from datetime import timedelta

import sqlalchemy as sa

from bot.store import outbox, submissions
from bot.store.models import (
    Attempt,
    Outbox,
    Reply,
    Staff,
    SubmissionRow,
)
from tests.drivers.waymark import Running
from tests.drivers.web import Page, Visitor
from tests.public import every, sent


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
        await submissions.add_reply(db, id="r1", text=text, **of)
        await submissions.add_note(db, id="n1", text=note, **of)
        await outbox.post(db, "reply:r1", row.sender, {}, now)


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
