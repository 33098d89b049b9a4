"""Whose page it is, and the pages that only tell."""

import re
from pathlib import Path

import pytest

from bot.keys import Keys
from tests.drivers.waymark import CONTENT
from tests.drivers.web import OnForm, Page, Visitor
from tests.public import CHILD, CONCERN, answers
from web.public import places

TEMPLATES = Path(__file__).parent.parent / "web/templates/public"
SITE = ["/", "/answers", "/entitlements", "/help-now", "/privacy", "/resume", "/reply", "/deleted"]


# --- Whose it is -------------------------------------------------------------------------


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


# --- The pages ---------------------------------------------------------------------------


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
