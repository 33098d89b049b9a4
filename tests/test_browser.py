"""In a real browser: a child, a carer and a member of staff, from first page to reply."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, FilePayload, Page, expect

from content.schema import Question, QuestionType
from tests import corpus
from tests.browser import accessibility_faults
from tests.drivers.staff import Staff
from tests.drivers.waymark import CONTENT, Running, served
from tests.test_every_path import WORDS
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


DRAWING: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": corpus.picture("PNG")}


def plain_value(question: Question) -> str:
    """A choice that neither ends the flow nor tells of harm."""
    return next(o.value for o in question.options if not o.ends and not o.disclosure)


async def answer_page(page: Page, flow: str) -> None:
    """The plainest answer to a form page, given as a person would."""
    question = CONTENT.flows[flow].by_id[page.url.rsplit("/", 1)[1]]
    form = page.locator("form.wm-question")
    if question.type is QuestionType.CHOICES:
        await form.get_by_role("checkbox").first.check()
    elif question.type is QuestionType.FILE:
        await form.locator("input[type=file]").set_input_files(DRAWING)
    elif question.options:
        await form.locator(f"input[value='{plain_value(question)}']").check()
    elif question.type is not QuestionType.CARD:
        words = "Robin" if question.id == "name" else plain_words(question)
        await form.locator("textarea, input[name=answer]").first.fill(words)
    await form.locator("button.wm-go").click()


async def test_a_child_says_what_they_think_without_javascript(browser, site):
    _, address = site
    context = await visitor(browser, script=False, width=320)
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_role("link", name=re.compile("I am at school")).click()
    await page.get_by_role("link", name=re.compile("Years 3 to 6")).click()
    await page.get_by_role("button", name=re.compile("One question")).click()
    for _ in range(LIMIT):
        if "/check" in page.url:
            break
        await answer_page(page, "my-views-years-3-to-6")
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


def plain_words(question: Question) -> str:
    if question.type in WORDS:
        return "3 March 2027" if question.time == "future" else WORDS[question.type]
    return str(question.min or 12)


async def answer_chat(page: Page) -> None:
    """The plainest answer to what the chat asks last."""
    at = await page.locator("#chat").get_attribute("data-at")
    question = CONTENT.flows["raise-a-concern"].by_id[at]
    pressing = page.locator("#answering")
    if question.type is QuestionType.CHOICES:
        await pressing.get_by_role("checkbox").first.check()
        await pressing.get_by_role("button", name="Done").click()
    elif question.type is QuestionType.CARD:
        await pressing.locator("button[value$='|read']").click()
    elif question.type is QuestionType.FILE:
        await page.locator("#file").set_input_files(DRAWING)
        await page.get_by_role("button", name="Add this").click()
        await pressing.get_by_role("button", name="Carry on").click()
    elif question.options:
        offered = await pressing.locator("button[value^='a|']").all()
        values = [(await button.get_attribute("value")).split("|")[-1] for button in offered]
        harmless = [o.value for o in question.options if not o.ends and not o.disclosure]
        await offered[values.index(next(v for v in harmless if v in values))].click()
    else:
        await page.locator("#text").fill(plain_words(question))
        await page.locator("#words button").click()
    await expect(page.locator("#chat")).not_to_have_attribute("data-at", at)


async def staff_reply(
    browser: Browser, running: Running, address: str, reference: str, text: str
) -> None:
    """Signed in, open the submission, write a note, and reply."""
    link = await accounts.add(running.waymark, "Invented Head", "head@example.org", "headteacher")
    context = await visitor(browser)
    here = await Staff(running.site).use(link)
    await here.sit_down(context, address)
    page = await context.new_page()

    async def press(name: str) -> None:
        await page.get_by_role("main").get_by_role("button", name=name).first.click()

    await page.goto(f"{address}/staff")
    await sound(page)
    row = page.get_by_role("row").filter(has_text=reference)
    await row.get_by_role("link").first.click()
    await sound(page)
    record = page.url
    await press("Write a note for staff")
    await page.get_by_label("A note for the team").fill("Between us. CANARY-NOTE")
    await press("Keep this note")
    await page.goto(record)
    await expect(page.get_by_text("CANARY-NOTE").first).to_be_visible()
    await press("Reply to the sender")
    await page.get_by_label("Your reply").fill(text)
    await press("Look at it before sending")
    await expect(page.get_by_text(text).first).to_be_visible()
    await press("Send")
    await page.goto(record)
    await expect(page.get_by_text("Waiting to be read").first).to_be_visible()
    await context.close()


@pytest.mark.parametrize("width", [320, 1280])
async def test_every_public_page_is_sound(browser, site, width):
    _, address = site
    context = await visitor(browser, width=width)
    page = await context.new_page()
    seen = 0
    for path in ("/", "/for/child", "/for/young-person", "/for/adult", "/answers", "/help-now",
                 "/entitlements", "/privacy", "/resume", "/reply",
                 "/start/raise-a-concern", "/start/my-views-years-3-to-6", "/start/next-steps",
                 "/no-such-page"):  # fmt: skip
        await page.goto(address + path)
        await sound(page)
        seen += 1
    assert seen > 10
    await context.close()
