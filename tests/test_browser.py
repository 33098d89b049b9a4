"""In a real browser: a child, a carer and a member of staff, from first page to reply."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser import accessibility_faults
from tests.drivers.waymark import Running, served
from web.casework import accounts

LIMIT = 90


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[Running, str]]:
    async with served(tmp_path) as (running, address):
        yield running, address


async def visitor(browser: Browser, script: bool = True, width: int = 1280) -> BrowserContext:
    return await browser.new_context(
        java_script_enabled=script,
        viewport={"width": width, "height": 900},
        locale="en-GB",
        timezone_id="Europe/London",
    )


async def sound(page: Page) -> None:
    """No fault that axe can see, and nothing wider than the window."""
    assert await accessibility_faults(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


async def answer_page(page: Page) -> None:
    """The plainest answer to a form page, given as a person would."""
    form = page.locator("form.wm-question")
    radios, boxes = form.get_by_role("radio"), form.get_by_role("checkbox")
    if await radios.count():
        harmless = [n for n in range(await radios.count()) if not await _alarming(radios.nth(n))]
        await radios.nth(harmless[0]).check()
    elif await boxes.count():
        await boxes.first.check()
    elif await form.locator("textarea, input[name=answer]").count():
        await form.locator("textarea, input[name=answer]").first.fill("Robin")
    await form.locator("button.wm-go").click()


ALARMING = {"yes", "in-danger", "not-safe", "nobody", "not-say", "a-lot", "tell-someone"}


async def _alarming(radio) -> bool:
    return await radio.get_attribute("value") in ALARMING


async def test_a_child_says_what_they_think_without_javascript(browser, site):
    running, address = site
    context = await visitor(browser, script=False, width=320)
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_role("link", name=re.compile("Years 3 to 6")).click()
    await page.get_by_role("button", name=re.compile("One question")).click()
    for _ in range(LIMIT):
        if "/check" in page.url:
            break
        await answer_page(page)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Check")
    await expect(page.get_by_text("Robin").first).to_be_visible()
    await page.get_by_role("button", name=re.compile("Send")).click()
    await expect(page.get_by_text(re.compile(r"VS-\w{4}-\w{4}")).first).to_be_visible()
    await context.close()


async def test_a_carer_writes_in_the_chat_staff_reply_and_the_carer_reads_it(browser, site):
    running, address = site
    carer = await visitor(browser)
    page = await carer.new_page()
    await page.goto(f"{address}/start/raise-a-concern")
    await page.get_by_role("button", name=re.compile("chat")).click()
    for _ in range(LIMIT):
        if await page.get_by_role("button", name="Send my answers").count():
            break
        await answer_chat(page)
    await sound(page)
    await page.get_by_role("button", name="Send my answers").click()
    await expect(page.get_by_text(re.compile(r"VS-\w{4}-\w{4}")).first).to_be_visible()
    said = await page.locator("#chat").inner_text()
    reference = re.search(r"VS-\w{4}-\w{4}", said)[0]
    code = re.search(r"\b(?!VS-)(\w{4}-\w{4}-\w{4})\b", said)[0]

    await staff_reply(browser, running, address, reference, "We have rung the school. CANARY-REPLY")

    elsewhere = await (await visitor(browser, width=320)).new_page()
    await elsewhere.goto(f"{address}/reply")
    fields = elsewhere.get_by_role("main").get_by_role("textbox")
    await fields.nth(0).fill(reference)
    await fields.nth(1).fill(code.lower())
    await elsewhere.get_by_role("main").get_by_role("button").first.click()
    await expect(elsewhere.get_by_text("CANARY-REPLY")).to_be_visible()
    assert "CANARY-NOTE" not in await elsewhere.content()
    await sound(elsewhere)
    await carer.close()
    await elsewhere.context.close()


async def answer_chat(page: Page) -> None:
    """The plainest answer to what the chat asks last."""
    before = await page.locator("#chat").get_attribute("data-at")
    pressing = page.locator("#answering")
    boxes = pressing.get_by_role("checkbox")
    typed = page.locator("#chat textarea, #chat input[type=text]").first
    buttons = pressing.locator("button[value]")
    if await boxes.count():
        await boxes.first.check()
        await pressing.get_by_role("button", name="Done").click()
    else:
        wanted = None
        for at in range(await buttons.count()):
            value = await buttons.nth(at).get_attribute("value") or ""
            if value.startswith("a|") and value.split("|")[-1] not in ALARMING:
                wanted = buttons.nth(at)
                break
        if wanted is not None:
            await wanted.click()
        else:
            await typed.fill(await words(page))
            await page.keyboard.press("Enter")
    await expect(page.locator("#chat")).not_to_have_attribute("data-at", before or "")


async def words(page: Page) -> str:
    """Something this question can read: a phone number, a date, or words."""
    asked = (await page.locator("#log").inner_text()).lower()[-260:]
    if "email" in asked:
        return "pat@example.org"
    if "phone" in asked or "number for" in asked:
        return "07700 900123"
    if "date" in asked or "last day" in asked or "first day" in asked:
        return "3 March"
    return "12"


async def staff_reply(
    browser: Browser, running: Running, address: str, reference: str, text: str
) -> None:
    link = await accounts.add(
        running.waymark, "Invented Head", "head@example.org", "headteacher"
    )
    context = await visitor(browser)
    page = await context.new_page()
    await page.goto(address + link.split("/staff", 1)[1].join(["/staff", ""]))
    await page.get_by_role("main").get_by_role("button").first.click()
    await sound(page)
    row = page.get_by_role("row").filter(has_text=reference)
    await row.get_by_role("link").first.click()
    await sound(page)
    await page.get_by_role("link", name=re.compile("note", re.I)).first.click()
    await page.get_by_role("textbox").first.fill("Between us. CANARY-NOTE")
    await page.get_by_role("main").get_by_role("button").first.click()
    await page.goto(page.url.split("/notes")[0])
    await page.get_by_role("link", name=re.compile("^Reply")).or_(
        page.get_by_role("button", name=re.compile("^Reply"))
    ).first.click()
    await page.get_by_role("textbox").first.fill(text)
    await page.get_by_role("main").get_by_role("button").first.click()
    await expect(page.get_by_text(text).first).to_be_visible()
    await page.get_by_role("main").get_by_role("button", name=re.compile("[Ss]end")).first.click()
    await expect(page.get_by_text("Waiting to be read").first).to_be_visible()
    await context.close()


@pytest.mark.parametrize("width", [320, 1280])
async def test_every_public_page_is_sound(browser, site, width):
    _, address = site
    context = await visitor(browser, width=width)
    page = await context.new_page()
    seen = 0
    for path in ("/", "/answers", "/help-now", "/entitlements", "/privacy", "/resume", "/reply",
                 "/start/raise-a-concern", "/start/my-views-years-3-to-6", "/start/next-steps",
                 "/no-such-page"):  # fmt: skip
        await page.goto(address + path)
        await sound(page)
        seen += 1
    assert seen > 10
    await context.close()
