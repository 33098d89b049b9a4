"""The public pages in a real browser: accessible, never too wide, and the chat with JavaScript."""

import pytest
from playwright.async_api import Page, Route, expect

from bot.store.models import ConversationRow
from tests.browser import accessibility_faults
from tests.drivers.waymark import served
from tests.public import CHILD, CONCERN, every

SITE = [
    "/",
    "/ask",
    "/answers",
    "/entitlements",
    "/help-now",
    "/privacy",
    "/resume",
    "/reply",
    "/nowhere",
]


@pytest.fixture
async def address(tmp_path):
    async with served(tmp_path) as (running, address):
        yield running, address


async def sound(page: Page) -> None:
    """No fault found by axe-core, and nothing to scroll sideways."""
    await page.evaluate("scrollTo(0, 0)")
    assert await accessibility_faults(page) == []
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(over) <= 0, page.url


async def press(page: Page, selector: str) -> None:
    async with page.expect_navigation():
        await page.locator(selector).first.click()


async def begin(page: Page, address: str, flow: str, mode: str) -> None:
    await page.goto(f"{address}/start/{flow}")
    await press(page, f"button[value={mode}]")


@pytest.mark.parametrize("width", [320, 1280])
async def test_every_page_is_accessible_and_fits(page, address, width):
    _, site = address
    await page.set_viewport_size({"width": width, "height": 800})
    for path in SITE:
        await page.goto(site + path)
        await sound(page)


@pytest.mark.parametrize("width", [320, 1280])
async def test_every_kind_of_question_is_accessible_and_fits(page, address, width):
    _, site = address
    await page.set_viewport_size({"width": width, "height": 800})
    await begin(page, site, CHILD, "form")
    seen = set()
    for _ in range(60):
        if page.url.endswith("/check"):
            break
        kind = await page.evaluate(
            "document.querySelector('.wm-question [name=answer], .wm-faces')?.type || 'card'"
        )
        if kind not in seen:
            await sound(page)
            await press(page, ".govuk-button.wm-go")
            await sound(page)  # with what is wrong, where something is
            seen.add(kind)
        elif await page.locator("[name=skip]").count():
            await press(page, "[name=skip]")
        else:
            await press(page, ".govuk-button.wm-go")
    assert {"card", "text", "radio", "checkbox", "textarea"} <= seen
    await sound(page)
    await press(page, ".wm-go--big")
    await sound(page)


async def test_the_chat_says_only_what_is_new_and_loads_no_page(page, address):
    _, site = address
    await begin(page, site, CHILD, "chat")
    await page.evaluate(
        """() => {
            window.same = true
            window.added = []
            new MutationObserver(seen => seen.forEach(one => one.addedNodes.forEach(
                node => node.id && window.added.push(node.id)))
            ).observe(document.getElementById('log'), {childList: true})
        }"""
    )
    await page.click("#answering [name=press]")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "name")
    await expect(page.locator("#answering")).to_be_focused()
    await page.fill("#text", "Robin")
    await page.press("#text", "Enter")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "year")
    await expect(page.locator("#text")).to_be_focused()
    await page.click("#answering [name=press] >> nth=0")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "who-fills")
    assert await page.evaluate("window.same")
    added = [name for name in await page.evaluate("window.added") if name != "now"]
    assert added == ["a-privacy", "q-name", "h-name", "a-name", "q-year", "a-year", "q-who-fills"]
    await sound(page)


async def test_what_was_not_understood_stays_in_the_box(page, address):
    _, site = address
    await begin(page, site, CONCERN, "chat")
    await page.fill("#text", "purple")
    await page.press("#text", "Enter")
    await expect(page.locator(".wm-bubble--problem")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("purple")
    await expect(page.locator("#text")).to_be_focused()
    await sound(page)


async def test_words_that_did_not_arrive_are_kept_and_sent_once(page, address):
    running, site = address
    await begin(page, site, CHILD, "chat")
    await page.click("#answering [name=press]")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "name")

    async def lose(route: Route) -> None:
        # It reaches us, but the answer is lost on the way back.
        await route.fetch()
        await route.abort()

    await page.route("**/chat/*", lose)
    await page.fill("#text", "Robin")
    await page.press("#text", "Enter")
    await expect(page.locator("#lost")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("Robin")
    ((before,),) = await every(running, ConversationRow, "revision")
    await page.unroute("**/chat/*")
    await page.click("#again")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "year")
    await expect(page.locator("#lost")).to_be_hidden()
    assert await every(running, ConversationRow, "revision") == [(before,)]


async def test_the_chat_goes_on_to_another_page_when_it_is_over(page, address):
    _, site = address
    await begin(page, site, CONCERN, "chat")
    await page.click("#answering [name=press] >> nth=2")
    await page.fill("#text", "delete")  # while the answer is still on its way, perhaps
    await expect(page.locator("#chat")).to_have_attribute("data-at", "harm")
    await page.press("#text", "Enter")
    await page.click("#answering .wm-go--stop")
    await page.wait_for_url("**/deleted")


async def test_a_child_can_leave_at_once(page, address):
    _, site = address
    await page.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    await begin(page, site, CHILD, "form")
    await page.click(".govuk-exit-this-page a")
    await page.wait_for_url("https://www.bbc.co.uk/**")


async def test_without_scripts_the_pages_do_the_same(browser, address):
    _, site = address
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await begin(page, site, CHILD, "chat")
    await press(page, "#answering [name=press]")
    await page.fill("#text", "Robin")
    await press(page, "#words button")
    assert await page.locator("#chat").get_attribute("data-at") == "year"
    await context.close()


@pytest.mark.parametrize("width", [320, 1280])
async def test_what_a_question_finds_is_accessible_and_fits(page, address, width):
    _, site = address
    await page.set_viewport_size({"width": width, "height": 800})
    for asked in ("staying put", "do I have to tell my boss", "how to raise a concern", "bins", ""):
        await page.goto(f"{site}/ask")
        await page.fill("#text", asked)
        await press(page, ".wm-question .wm-go")
        await sound(page)


@pytest.mark.parametrize("width", [320, 1280])
async def test_asking_from_a_question_and_back(page, address, width):
    _, site = address
    await page.set_viewport_size({"width": width, "height": 800})
    await begin(page, site, CONCERN, "form")
    await page.check("#answer-2")
    chosen = await page.locator("[name=answer]:checked").get_attribute("value")
    await press(page, "button[formaction='/ask']")
    await sound(page)
    await page.fill("#text", "staying put")
    await press(page, ".wm-question .wm-go")
    await sound(page)
    await press(page, "[name=again]")
    await sound(page)
    assert await page.locator("[name=answer]:checked").get_attribute("value") == chosen


async def test_asking_in_the_chat_keeps_what_was_half_written(page, address):
    _, site = address
    await page.set_viewport_size({"width": 320, "height": 800})
    await begin(page, site, CONCERN, "chat")
    await page.evaluate("window.same = true")
    await page.fill("#text", "No, not")
    await page.click("#asking summary")
    await page.fill("#asked-us", "can I stay with my foster carer after 18?")
    await page.click("#asks button")
    await expect(page.locator("#found-entitlement-staying-put")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("No, not")
    await expect(page.locator("#asked-us")).to_have_value("")
    assert await page.evaluate("window.same")
    await sound(page)
    await page.press("#text", "Enter")
    await expect(page.locator("#chat")).to_have_attribute("data-at", "harm")
