"""The staff pages about content: a flow gone through with nothing kept, and facts decided."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.models import Base
from content.schema import Channel, QuestionType, Role, Skip
from content.walk import lengths
from tests.browser import accessibility_faults
from tests.drivers.staff import Staff
from tests.drivers.waymark import CONTENT, running, served
from tests.public import plain
from web.casework import accounts, passwords, rehearsal
from web.casework.permissions import Person
from web.casework.rehearsal import Step, read, rehearse

FLOWS = "/staff/content/flows"
FACT = "/staff/content/facts/entitlement"
CHILD, CONCERN = "my-views-years-3-to-6", "raise-a-concern"
EVERY = [(flow.id, channel) for flow in CONTENT.flows.values() for channel in flow.channels]
ANN = Person("ann", "Ann", Role.MENTOR)
CANARY = "Zaunkoenig"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    passwords._nobodys.cache_clear()


@pytest.fixture(scope="module")
async def house(tmp_path_factory):
    async with running(tmp_path_factory.mktemp("content")) as house:
        yield house


async def browser(house, role=Role.MENTOR) -> Staff:
    link = await accounts.add(house.waymark, role.value, f"{role.value}@example.org", role.value)
    return await Staff(house.site).use(link)


async def kept(house) -> Counter:
    """How many rows there are of everything."""
    async with house.database.reading() as db:
        counts = Counter()
        for table in Base.metadata.sorted_tables:
            counts[table.name] = await db.scalar(sa.select(sa.func.count()).select_from(table))
        return counts


def carried(here: Staff) -> list[str]:
    return [field["value"] for field in here.page.select("#now [name=said]")]


async def go_on(here: Staff, **more) -> Staff:
    """Send what the page carries, and one thing more."""
    form = here.page.select_one("#now")
    token = form.select_one("[name=csrf]")["value"]
    return await here.post(form["action"], {"csrf": token, "said": carried(here), **more})


def press(here: Staff, label: str) -> str:
    """What the button of that label carries."""
    buttons = here.page.select("#now button[name=press]")
    return next(button["value"] for button in buttons if button.get_text(strip=True) == label)


async def tap(here: Staff, label: str) -> Staff:
    return await go_on(here, press=press(here, label))


# --- The list -------------------------------------------------------------------------------


async def test_every_flow_is_listed_with_how_long_it_is_and_where_it_is_offered(house):
    here = await browser(house)
    await here.go("/staff/content")
    lines = {line.select_one("strong").get_text(): line for line in here.page.select("tbody tr")}
    assert set(lines) == {flow.title for flow in CONTENT.flows.values()}
    for flow in CONTENT.flows.values():
        line = lines[flow.title]
        said = {cell["data-label"]: cell.get_text(" ", strip=True) for cell in line.select("td")}
        fewest, most = lengths(flow)
        assert said["Questions"] == (f"{fewest} to {most}" if fewest != most else str(most))
        assert said["Minutes"] == str(flow.minutes)
        there = {link["href"].rsplit("=", 1)[1] for link in line.select("a")}
        assert there == {channel.value for channel in flow.channels}


# --- Gone through ---------------------------------------------------------------------------


@pytest.mark.parametrize(("flow", "channel"), EVERY)
async def test_every_flow_can_be_gone_through_to_its_end_on_every_channel(house, flow, channel):
    """The words are those that senders read; each question stands with why it is asked."""
    before = await kept(house)
    steps: list[Step] = []
    for _ in range(140):
        found = rehearse(house.waymark, ANN, flow, channel.value, steps)
        assert len(found.steps) == len(steps)
        if found.turn.submission or found.ask is None:
            break
        steps += answered(found, channel)
    tokens = [token for b in found.talk[-1].bubbles for row in b.rows for _, token in row]
    if any(token.startswith("s|") for token in tokens):
        send = next(token for token in tokens if token.startswith("s|"))
        found = rehearse(house.waymark, ANN, flow, channel.value, [*steps, Step(press=send)])
        assert found.turn.submission is not None
        assert found.promised is not None
        said = found.talk[-1].bubbles[-1].text
        assert found.turn.submission.reference in said
        assert rehearsal.CODE in said
    assert found.asked
    assert found.priority.reasons
    assert await kept(house) == before


def answered(found, channel) -> list[Step]:
    """The plainest harmless answer, as this channel gives it."""
    question, nonce = found.ask.question, found.turn.conversation.nonce
    harmless = [o.value for o in found.ask.options if not o.ends and not o.disclosure]
    calm = "not-now" if "not-now" in harmless else (harmless or [""])[0]
    form = channel is Channel.FORM
    if question.type is QuestionType.FILE:
        return [Step(press=f"k|{nonce}|{question.id}|{Skip.SKIPPED.value}")]
    if question.type is QuestionType.CARD:
        return [Step(answer=())] if form else [Step(press=f"a|{nonce}|{question.id}|read")]
    if question.type is QuestionType.ENTITLEMENTS:
        return [Step(answer=())] if form else [Step(press=f"d|{nonce}|{question.id}")]
    if question.type is QuestionType.CHOICES and not form:
        return [
            Step(press=f"t|{nonce}|{question.id}|{harmless[0]}"),
            Step(press=f"d|{nonce}|{question.id}"),
        ]
    if question.options:
        return [Step(answer=(calm,)) if form else Step(press=f"a|{nonce}|{question.id}|{calm}")]
    return [Step(answer=(plain(question),)) if form else Step(words=plain(question))]


async def test_nothing_of_a_rehearsal_is_kept_however_alarming(house):
    here = await browser(house)
    before = await kept(house)
    await here.go(f"{FLOWS}/{CONCERN}?channel=telegram")
    await tap(here, "I am not sure")
    assert "Safety alert to staff at once" in here.text
    assert "Urgent" in here.page.select_one("#priority").get_text()
    await go_on(here, words=f"{CANARY} help")
    assert f"{CANARY} help" in here.text
    assert await kept(house) == before
    async with house.database.reading() as db:
        for table in Base.metadata.sorted_tables:
            for row in await db.execute(sa.select(table)):
                assert CANARY not in repr(row)


async def test_in_a_chat_it_shows_what_was_said_and_why_it_is_asked(house):
    here = await browser(house)
    await here.go(f"{FLOWS}/next-steps?channel=chat")
    flow = CONTENT.flows["next-steps"]
    assert flow.by_id["safe-now"].why in here.text
    await tap(here, "Yes, I'm safe")
    await tap(here, "OK, carry on")
    await tap(here, "For me")
    assert flow.by_id["age"].text in here.text
    assert flow.by_id["age"].why in here.text
    await go_on(here, words="seventeen or so")
    mine = [bubble.get_text() for bubble in here.page.select(".wm-bubble--me")]
    assert mine == ["Yes, I'm safe", "OK, carry on", "For me", "seventeen or so"]
    assert here.page.select_one("#now .wm-bubble--problem")
    await go_on(here, undo="yes")
    mine = [bubble.get_text() for bubble in here.page.select(".wm-bubble--me")]
    assert mine == ["Yes, I'm safe", "OK, carry on", "For me"]


async def test_as_a_form_each_question_stands_in_its_own_fields(house):
    here = await browser(house)
    await here.go(f"{FLOWS}/{CHILD}?channel=form")
    flow = CONTENT.flows[CHILD]
    while not here.page.select("#now [name=answer][type=radio]"):
        await go_on(here)
        if here.page.select_one(".govuk-error-summary"):
            await go_on(here, skip="skipped")
    question = here.page.select_one("#now legend").get_text(strip=True)
    asked = next(q for q in flow.questions if q.text == question)
    values = [field["value"] for field in here.page.select("#now [name=answer]")]
    assert values == [option.value for option in asked.options]
    await go_on(here)
    assert here.page.select_one(".govuk-error-summary")  # as on the page itself
    await go_on(here, answer=values[0])
    assert here.page.select_one("#now legend, #now label, #now h1").get_text(strip=True) != question


async def test_what_was_not_taken_stays_in_the_field(house):
    here = await browser(house)
    await here.go(f"{FLOWS}/next-steps?channel=form")
    for answer in ("safe", "", "myself", "old enough"):
        await go_on(here, answer=answer)
    assert here.page.select_one("#now [name=answer]")["value"] == "old enough"
    assert here.page.select_one(".govuk-error-summary")


async def test_a_flow_or_channel_there_is_not_is_no_page(house):
    here = await browser(house)
    for address in (f"{FLOWS}/nothing", f"{FLOWS}/{CHILD}?channel=telegram", f"{FACT}/nothing"):
        assert (await here.go(address)).status == 404
    await here.go(f"{FLOWS}/{CHILD}")
    assert here.status == 200  # without one, the first it has


# --- Junk in what the page carries ------------------------------------------------------------

JUNK = [
    "", "{", "null", "[]", "{}", "7", '"x"', '{"press": 7}', '{"answer": "x"}', '{"answer": [7]}',
    '{"press": "x|y"}', '{"press": "a|preview|danger|nothing"}', '{"press": "s|previe|99"}',
    '{"press": "U|"}', '{"press": "f|next-steps"}', '{"press": "y|"}', '{"press": "+|VS-1"}',
    '{"press": "u|previe|danger|x"}', '{"press": "m|"}', '{"press": "x|previe"}',
    '{"words": ""}', '{"words": "\\ud800"}', '{"words": "\\u0000\\u202e<script>"}',
    '{"more": 1}', '{"answer": [], "skip": "never"}', "[" * 3000, "9" * 6000,
    json.dumps({"words": "x" * 20_000}), json.dumps({"answer": ["x"] * 5000}),
]  # fmt: skip


async def test_junk_is_harmless(house):
    here = await browser(house)
    before = await kept(house)
    for channel in ("form", "chat", "telegram"):
        await here.go(f"{FLOWS}/{CONCERN}?channel={channel}")
        token = here.page.select_one("[name=csrf]")["value"]
        address = f"{FLOWS}/{CONCERN}?channel={channel}"
        for junk in JUNK:
            await here.post(address, {"csrf": token, "said": [junk, junk]})
            assert here.status == 200, (channel, junk[:60], here.text)
            assert "<script>" not in here.response.text.split("</head>")[1].split("<form")[1]
        await here.post(address, {"csrf": token, "said": JUNK})
        assert here.status == 200
    assert await kept(house) == before


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(JUNK),
            st.text(max_size=40),
            st.builds(
                lambda kind, parts: json.dumps({"press": "|".join([kind, "previe", *parts])}),
                st.sampled_from("atdukbwgcsrxh"),
                st.lists(st.sampled_from(["danger", "privacy", "not-now", "0", "read", ""])),
            ),
        ),
        max_size=12,
    ),
    st.sampled_from(["form", "chat", "telegram"]),
)
async def test_no_junk_breaks_it(house, junk, channel):
    found = rehearse(house.waymark, ANN, CONCERN, channel, read(junk))
    assert found.talk


async def test_a_rehearsal_has_an_end(house):
    long = [json.dumps({"words": "x" * 1000})] * 5000
    assert len(read(long)) < rehearsal.MOST
    many = [json.dumps({"words": "help"})] * 5000
    assert len(read(many)) == rehearsal.MOST
    found = rehearse(house.waymark, ANN, CONCERN, "chat", read(many))
    assert found.over
    here = await browser(house)
    await here.go(f"{FLOWS}/{CONCERN}?channel=chat")
    token = here.page.select_one("[name=csrf]")["value"]
    address = f"{FLOWS}/{CONCERN}?channel=chat"
    await here.post(address, {"csrf": token, "said": many[:500], "words": "one more"})
    assert here.status == 200
    assert "as long as it can get" in here.text
    await go_on(here, words="one more")
    assert "more than a rehearsal can hold" in here.text
    assert len(here.response.content) < 1024 * 1024


# --- Facts ----------------------------------------------------------------------------------


async def test_each_fact_is_listed_with_its_source_dates_and_where_it_stands(house):
    here = await browser(house)
    await here.go("/staff/content/facts")
    unsure = [row for row in CONTENT.entitlements.values() if not row.confidence.publishable]
    over = {row.id for row in unsure if row.standing == "ended"}
    (table,) = here.page.select("table")
    assert "Waiting for somebody to confirm them" in table.select_one("caption").get_text()
    ids = {link["href"].rsplit("/", 1)[1] for link in table.select("a")}
    assert ids == {row.id for row in unsure} - over
    await here.go("/staff/content/facts?show=all")
    line = next(tr for tr in here.page.select("tbody tr") if "setting-up-home" in tr.get_text())
    said = {cell["data-label"]: cell.get_text(" ", strip=True) for cell in line.select("td")}
    assert said["Source"] == "The Grand Campaign Coram Voice"
    assert said["Checked"] == "21 November 2026"
    assert said["Review by"] == "28 February 2027"
    assert said["Sure"] == "High"
    assert "What you can get" in said["Shown in"]


async def test_the_headteacher_confirms_a_co_ordinator_takes_down_a_mentor_reads(tmp_path):
    async with running(tmp_path) as house:
        head = await browser(house, Role.HEADTEACHER)
        await head.go(f"{FACT}/bus-pass")
        assert "told to nobody" in head.text
        assert not head.page.select_one("#source").get("value")  # not what was only supposed
        filled = {
            "source": "Bus passes", "publisher": "The council", "reason": "I rang them",
            "address": "https://council.example/bus", "review_by": "2027-05-01",
        }  # fmt: skip
        await head.send("/confirm", **{**filled, "review_by": ""})
        assert head.status == 422
        assert "Choose the day by which it is looked at again" in head.text
        assert head.page.select_one("#source")["value"] == "Bus passes"
        assert head.page.select_one("#reason").get_text(strip=True) == "I rang them"
        await head.send("/confirm", **filled)
        assert "You have confirmed it" in head.text
        assert "Confirmed by headteacher, 23 November 2026" in head.text
        assert "I rang them" in head.text

        lead = await browser(house, Role.EDUCATION_COORDINATOR)
        await lead.go(f"{FACT}/bus-pass")
        assert not lead.page.select("form[action$='/confirm']")
        await lead.send("/take-down", reason="They stopped it")
        assert "It is taken down" in lead.text
        assert not lead.page.select("form[action$='/restore']")

        mentor = await browser(house)
        await mentor.go(f"{FACT}/bus-pass")
        assert "They stopped it" in mentor.text
        assert not mentor.page.select(f"form[action^='{FACT}']")
        await mentor.go("/staff/content/facts?show=taken-down")
        assert "A bus pass for people who left care" in mentor.text

        await head.go(f"{FACT}/bus-pass")
        await head.send("/restore", reason="They did not")
        assert "Nobody has confirmed it" in head.text  # its file is as unsure as ever


async def test_who_lost_their_session_gets_back_what_they_typed(house):
    here = await browser(house, Role.HEADTEACHER)
    await here.go(f"{FACT}/bus-pass")
    here.http.cookies.clear()
    await here.send("/take-down", reason="They stopped it last week")
    assert here.status == 401
    assert "They stopped it last week" in here.text


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_pages_fit_and_have_no_accessibility_faults(tmp_path, page, width):
    async with served(tmp_path) as (house, address):
        here = await browser(house, Role.HEADTEACHER)
        await here.sit_down(page.context, address)
        await page.set_viewport_size({"width": width, "height": 800})
        for path in ("", "/facts", "/facts?show=all", "/facts/helpline/childline"):
            await page.goto(f"{address}/staff/content{path}")
            await _look(page)
        await page.goto(f"{address}{FACT}/setting-up-home")
        await page.get_by_role("button", name="Confirm it").click()
        await _look(page)
        for flow, channel in ((CHILD, "form"), (CONCERN, "telegram"), ("next-steps", "chat")):
            await page.goto(f"{address}{FLOWS}/{flow}?channel={channel}")
            await _look(page)
            if channel != "form":
                await page.locator(".wm-press").nth(1).click()
                await _look(page)


async def _look(page):
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0, page.url
    assert await accessibility_faults(page) == [], page.url
