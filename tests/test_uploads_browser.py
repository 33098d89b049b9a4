"""Files in a real browser: added, recorded, seen and heard; accessible and never too wide."""

import base64

import pytest
from playwright.async_api import Page, expect

from bot.store.models import Attachment
from content.schema import Role
from tests import corpus
from tests.drivers.staff import Staff
from tests.drivers.waymark import served
from tests.opened import rows
from tests.public import CHILD
from tests.test_browser import sound
from tests.test_uploads import SHOW, walk
from web.casework import accounts

PHOTO = {"name": "IMG_0001.JPG", "mimeType": "image/jpeg", "buffer": corpus.photo()}
BAD = {"name": "letter.docx", "mimeType": "application/msword", "buffer": corpus.word()}
RECORD = """async type => {
    const context = new AudioContext()
    await context.resume()
    const tone = context.createOscillator(), out = context.createMediaStreamDestination()
    tone.connect(out)
    tone.start()
    const recorder = new MediaRecorder(out.stream, {mimeType: type}), parts = []
    recorder.ondataavailable = event => parts.push(event.data)
    const over = new Promise(done => { recorder.onstop = done })
    recorder.start(200)
    await new Promise(done => setTimeout(done, 1200))
    recorder.stop()
    await over
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer())
    return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''))
}"""


class Sender:
    """Somebody in a browser, known to the tests by their conversation."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site, self.flow, self.id = page, site, CHILD, ""

    async def begin(self, mode: str) -> None:
        self.mode = mode
        await self.page.goto(f"{self.site}/start/{CHILD}")
        async with self.page.expect_navigation():
            await self.page.locator(f"button[value={mode}]").click()
        self.id = self.page.url.split("/")[4]

    async def carry_on(self) -> None:
        await self.page.goto(f"{self.site}/{self.mode}/{self.id}")


@pytest.fixture
async def house(tmp_path):
    async with served(tmp_path) as (running, address):
        yield running, address


async def at_the_question(house, page, mode="form") -> Sender:
    running, address = house
    sender = Sender(page, address)
    await sender.begin(mode)
    await walk(running, sender, SHOW)
    return sender


@pytest.mark.parametrize("width", [320, 1280])
async def test_the_page_for_files_is_accessible_and_fits(page, house, width):
    await page.set_viewport_size({"width": width, "height": 800})
    await at_the_question(house, page)
    await sound(page)
    await page.set_input_files("#answer", BAD)
    await page.get_by_role("button", name="Add this").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Word files")
    await sound(page)
    for file in (PHOTO, {**PHOTO, "name": "a.wav", "buffer": corpus.wav(2)}):
        await page.set_input_files("#answer", file)
        await page.get_by_role("button", name="Add this").click()
    await expect(page.locator(".wm-file")).to_have_count(2)
    picture = page.locator(".wm-file__picture")
    await expect(picture).to_have_js_property("naturalWidth", 480)
    await sound(page)


async def test_in_the_chat_a_picture_is_added_without_loading_a_page(page, house):
    await at_the_question(house, page, "chat")
    await page.evaluate("window.same = true")
    await page.set_input_files("#file", BAD)
    await page.get_by_role("button", name="Add this").click()
    await expect(page.locator(".wm-bubble--problem")).to_contain_text("Word files")
    await page.set_input_files("#file", PHOTO)
    await page.get_by_role("button", name="Add this").click()
    await expect(page.locator("#log img")).to_be_visible()
    await expect(page.locator("#answering")).to_be_focused()
    await sound(page)
    await page.get_by_role("button", name="Carry on", exact=True).click()
    await expect(page.locator("#chat")).to_have_attribute("data-at", "easy")
    await expect(page.locator("#files form")).to_have_count(0)
    assert await page.evaluate("window.same")
    (kept,) = await rows(house[0].waymark, Attachment)
    assert kept.media_type == "image/jpeg"


async def test_what_a_browser_records_staff_hear(page, house):
    running, address = house
    said: list[str] = []
    page.context.on("console", lambda line: said.append(line.text))
    sender = await at_the_question(house, page)
    types = ("audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4;codecs=opus")
    can = [t for t in types if await page.evaluate("t => MediaRecorder.isTypeSupported(t)", t)]
    assert "audio/webm;codecs=opus" in can
    for number, type_ in enumerate(can, 1):
        recorded = base64.b64decode(await page.evaluate(RECORD, type_))
        file = {"name": "voice", "mimeType": type_, "buffer": recorded}
        await page.set_input_files("#answer", file)
        await page.get_by_role("button", name="Add this").click()
        await expect(page.locator(".wm-file audio")).to_have_count(number)
    await page.get_by_role("button", name="Carry on", exact=True).click()
    await walk(running, sender)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".wm-panel")).to_be_visible()
    role = Role.HEADTEACHER.value
    way_in = await accounts.add(running.waymark, "Invented Head", "head@example.org", role)
    here = await Staff(running.site).use(way_in)
    await here.sit_down(page.context, address)
    (row, *_) = await rows(running.waymark, Attachment)
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{address}/staff/submissions/{row.submission}")
        await sound(page)
    for number in range(len(can)):
        heard = await page.evaluate(
            """async number => {
                const sound = document.querySelectorAll('#files audio')[number]
                sound.muted = true
                await sound.play()
                await new Promise(done => { sound.onended = done })
                return [sound.currentTime, sound.duration]
            }""",
            number,
        )
        assert 0.8 < heard[0] < 2.5, (can[number], heard)
        assert heard[0] == pytest.approx(heard[1], abs=0.2), "its length is not known"
    assert not [line for line in said if "Content Security Policy" in line]
