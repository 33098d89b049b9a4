"""Pictures of the pages: `make screenshots` writes docs/screenshot.png for the README, and every
page at 320 and 1280 px to .waymark/screenshots, to be looked at."""

import asyncio
import base64
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser import launch_options
from tests.drivers.staff import Staff
from tests.drivers.waymark import served
from tests.test_browser import answer_chat, answer_page
from web import demo
from web.casework import accounts

ROOT = Path(__file__).parent.parent
EVERY = ROOT / ".waymark/screenshots"
WIDTHS = (320, 1280)
PUBLIC = (
    "/", "/for/child", "/for/adult", "/start/my-views-years-3-to-6", "/answers", "/entitlements",
    "/help-now", "/reply",
)  # fmt: skip


async def page_of(browser: Browser, width: int) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 780}, locale="en-GB", timezone_id="Europe/London"
    )
    return await context.new_page()


async def shoot(page: Page, name: str, width: int) -> None:
    await page.screenshot(path=EVERY / f"{name}-{width}.png", full_page=True)


async def form(page: Page, address: str, width: int) -> bytes:
    """Through a child's questions as far as the faces."""
    await page.goto(f"{address}/start/my-views-years-3-to-6")
    await page.get_by_role("button", name="One question").click()
    while not page.url.endswith("/school-feel"):
        await answer_page(page, "my-views-years-3-to-6")
    await shoot(page, "form-faces", width)
    picture = await page.screenshot()
    await answer_page(page, "my-views-years-3-to-6")
    await shoot(page, "form-text", width)
    return picture


async def chat(page: Page, address: str, width: int) -> bytes:
    """Some way into a carer's chat."""
    await page.goto(f"{address}/start/raise-a-concern")
    await page.get_by_role("button", name="As a chat").click()
    for _ in range(7):
        await answer_chat(page)
    await page.wait_for_timeout(700)
    await shoot(page, "chat", width)
    return await page.screenshot()


async def staff(page: Page, address: str, here: Staff, width: int) -> bytes:
    await here.sit_down(page.context, address)
    await page.goto(f"{address}/staff")
    await shoot(page, "queue", width)
    picture = await page.screenshot()
    await page.get_by_role("row").nth(1).get_by_role("link").first.click()
    await shoot(page, "submission", width)
    for path in ("", "/facts", "/facts/entitlement/setting-up-home", "/flows/raise-a-concern"):
        await page.goto(f"{address}/staff/content{path}")
        await shoot(page, f"content{path.replace('/', '-')}", width)
    return picture


def beside(pictures: list[tuple[bytes, int]]) -> str:
    """A page with the pictures side by side."""
    images = [
        f'<img width="{width}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for png, width in pictures
    ]
    style = "display:flex;gap:24px;padding:24px;background:#dfe5e4;align-items:flex-start"
    return f'<body style="margin:0"><div style="{style}">{"".join(images)}</div></body>'


async def main() -> None:
    EVERY.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            served(Path(folder)) as (running, address),
            async_playwright() as playwright,
        ):
            shown = running.waymark
            await demo.fill(shown)
            browser = await playwright.chromium.launch(**launch_options())
            for width in WIDTHS:
                page = await page_of(browser, width)
                for path in PUBLIC:
                    await page.goto(address + path)
                    await shoot(page, path.strip("/").replace("/", "-") or "front", width)
                pictures[f"form-{width}"] = await form(page, address, width)
                pictures[f"chat-{width}"] = await chat(page, address, width)
                link = await accounts.add(shown, "Invented Head", "head@example.org", "headteacher")
                here = await Staff(running.site).use(link)
                pictures[f"queue-{width}"] = await staff(page, address, here, width)
            sheet = await page_of(browser, 1560)
            await sheet.set_content(
                beside(
                    [
                        (pictures["form-320"], 320),
                        (pictures["chat-320"], 320),
                        (pictures["queue-1280"], 820),
                    ]
                )
            )
            (ROOT / "docs").mkdir(exist_ok=True)
            await sheet.locator("div").screenshot(path=ROOT / "docs/screenshot.png")
            await browser.close()
    sys.stdout.write(f"docs/screenshot.png, and every page in {EVERY.relative_to(ROOT)}\n")


if __name__ == "__main__":
    asyncio.run(main())
