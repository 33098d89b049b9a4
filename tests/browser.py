"""A real Chromium for the tests, and axe-core to check its pages for accessibility.

Playwright's objects belong to the event loop that made them, and its blocking API refuses to run
where a loop already does. So the browser is the asynchronous one, and every test and fixture shares
one loop (pyproject.toml). A server under test can run on that loop too, in the same process.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

FOLDER = Path(__file__).resolve().parent.parent / ".venv/test-browser"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def launch_options() -> dict[str, Any]:
    """The Chromium named by WAYMARK_CHROMIUM, else the one that `make test` unpacked."""
    args = ["--no-sandbox", "--headless=shell", "--no-zygote", "--disable-gpu"]
    if named := os.environ.get("WAYMARK_CHROMIUM"):
        return {"executable_path": named, "args": args}
    if not (FOLDER / "chromium").exists():
        raise FileNotFoundError("There is no test browser yet: run make setup-tests")
    # Its own libraries and typefaces, so that the machine needs none.
    env = {
        **os.environ,
        "LD_LIBRARY_PATH": str(FOLDER / "lib"),
        "FONTCONFIG_PATH": str(FOLDER / "fonts"),
    }
    return {"executable_path": str(FOLDER / "chromium"), "args": args, "env": env}


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options())
        yield browser
        await browser.close()


@pytest.fixture
async def browser_context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """An unknown visitor: no cookies, English dates and times."""
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/London")
    yield context
    await context.close()


@pytest.fixture
async def page(browser_context: BrowserContext) -> Page:
    return await browser_context.new_page()


async def accessibility_faults(page: Page) -> list[str]:
    """Each breach of WCAG 2.0 to 2.2, A and AA: the rule and the element that breaks it.

    Waits for what still moves: a bubble half faded in has too little contrast for a moment only.
    """
    await page.evaluate(
        "Promise.all(document.getAnimations().map(moving => moving.finished.catch(() => {})))"
    )
    await page.evaluate((FOLDER / "axe.min.js").read_text())
    found = await page.evaluate(
        "wcag => axe.run(document, {runOnly: wcag, resultTypes: ['violations']})", WCAG
    )
    assert found["passes"], "axe-core checked nothing"
    return [
        f"{fault['id']} at {node['target']}: {fault['help']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
