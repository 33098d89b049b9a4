"""The corpus in a real Chromium: nothing runs and nothing is asked for elsewhere; and if markup
ever got into a page, the browser would refuse to act on it."""

from __future__ import annotations

from playwright.async_api import Page as Tab
from playwright.async_api import Route

from tests.drivers.house import House, headteacher
from tests.drivers.telling import CONCERN, WORST, Words, sendable, the_fewest, told, travel, typed
from tests.drivers.waymark import Running, deafened, served
from tests.injections import ALL, MARK, packed

LISTEN = """
window.refused = []
document.addEventListener('securitypolicyviolation', event =>
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`))
"""
LED_ASTRAY = """() => [
  ...document.querySelectorAll('[href*="zqx"], [src*="zqx"], [action*="zqx"], [style], [hx-get]'),
  ...[...document.querySelectorAll('*')].filter(one =>
    one.getAttributeNames().some(name => name.startsWith('on')))
].map(one => one.outerHTML.slice(0, 200))"""


class Watched:
    """A tab in which everything that should not happen is noticed."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.dialogs: list[str] = []
        self.asked: list[str] = []
        tab.on("dialog", self._dialog)
        tab.on("request", lambda request: self.asked.append(request.url))

    async def _dialog(self, dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    async def see(self, address: str) -> str:
        """Open it and look about; the words on it."""
        await self.tab.goto(address)
        await self.tab.mouse.move(200, 300)
        await self.tab.keyboard.press("Tab")
        assert await self.tab.evaluate("window.zqx") is None, address
        assert await self.tab.evaluate("window.refused") == [], address
        assert await self.tab.evaluate(LED_ASTRAY) == [], address
        assert self.dialogs == [], address
        assert self.tab.url == address
        assert [url for url in self.asked if MARK in url.replace(address, "")] == []
        return await self.tab.locator("main").inner_text()


async def watched(browser, key: dict | None = None) -> Watched:
    context = await browser.new_context()
    await context.add_init_script(LISTEN)
    if key:
        await context.add_cookies([key])
    return Watched(await context.new_page())


async def test_in_a_real_browser_nothing_runs(tmp_path, browser):
    async with served(tmp_path) as (site, address):
        deafened(site)
        desk = await headteacher(site)
        made = await told(site, Words(list(ALL), WORST, packed(2900)[0]), desk)
        house = made.house
        for text in packed(2900)[1:]:
            await desk.note(house.ids["submissions/id_"], sendable(text))
            await desk.reply(house.ids["submissions/id_"], sendable(text))
        cookies = house.writing.http.cookies
        sender = await watched(
            browser, {"name": "waymark", "value": cookies["waymark"], "url": address}
        )
        passed = {"name": "waymark-reply", "value": cookies["waymark-reply"], "url": address}
        await sender.tab.context.add_cookies([passed])
        letter = await sender.see(f"{address}/reply/read")
        for text in ALL:
            if len(text) < 300 and text.isprintable():
                assert " ".join(text.split()) in " ".join(letter.split()), text
        await sender.see(f"{address}/chat/{house.writing.id}")
        await sender.see(f"{address}/form/{house.writing.id}/sent")
        await told_in_parts(site, sender, address)
        await staff_look(site, browser, address, house)


async def told_in_parts(site: Running, sender: Watched, address: str) -> None:
    """All of it on the pages of somebody who has not sent it yet."""
    flow = site.waymark.content.flows[CONCERN]
    (way, _), *_ = the_fewest(flow)
    for text in packed(1500):
        form = await travel(site, flow, way)
        await typed(form, "story", text)
        key = {"name": "waymark", "value": form.http.cookies["waymark"], "url": address}
        await sender.tab.context.add_cookies([key])
        for there in (f"form/{form.id}/story", f"form/{form.id}/check", f"chat/{form.id}"):
            await sender.see(f"{address}/{there}")


async def staff_look(site: Running, browser, address: str, house: House) -> None:
    staff = await watched(browser)
    desk = await headteacher(site, 'Eve "><img src=zqx onerror=window.zqx=1>')
    await desk.sit_down(staff.tab.context, address)
    record = f"{address}/staff/submissions/{house.ids['submissions/id_']}"
    for there in (
        f"{address}/staff",
        record,
        f"{record}/notes",
        f"{record}/status",
        f"{address}/staff/alerts/{house.ids['alerts/id_']}",
        f"{address}/staff/account",
        f"{address}/staff/people",
        f"{address}/staff/audit",
        f"{record}/readers",
    ):
        assert await staff.see(there)
    await staff.tab.context.close()


async def test_if_markup_ever_got_in_the_browser_would_refuse_to_run_it(tmp_path, browser):
    """The second wall: the policy, tried by putting into a page what must never get there."""
    async with served(tmp_path) as (_, address):
        tab = (await watched(browser)).tab
        await tab.goto(f"{address}/resume")
        markup = "document.body.innerHTML = '<img src=x onerror=window.zqx=1>'"
        for sink in (
            markup,
            "document.write('<b>zqx</b>')",
            "document.body.insertAdjacentHTML('beforeend', '<b>zqx</b>')",
            "new DOMParser().parseFromString('<b>zqx</b>', 'text/html')",
            "document.createElement('script').text = 'window.zqx=1'",
            "document.createElement('script').src = '/static/keep.js'",
            "document.body.setAttribute('onclick', 'window.zqx=1')",
            "document.createElement('iframe').srcdoc = '<b>zqx</b>'",
            "trustedTypes.createPolicy('zqx', {createHTML: text => text})",
        ):
            said = await tab.evaluate(
                f"() => {{ try {{ {sink} }} catch (no) {{ return no.name }} }}"
            )
            assert said == "TypeError", sink
        assert await tab.evaluate("window.zqx") is None
        assert len(await tab.evaluate("window.refused")) >= 6


async def test_what_a_broken_page_would_hold_does_not_run_either(tmp_path, browser):
    """As if a template had let it through: markup in the page as it comes from us."""
    async with served(tmp_path) as (_, address):
        tab = (await watched(browser)).tab

        async def broken(route: Route) -> None:
            response = await route.fetch()
            await route.fulfill(
                response=response, body=(await response.text()).replace("<main", f"{PLANTED}<main")
            )

        await tab.route("**/resume", broken)
        await tab.goto(f"{address}/resume")
        await tab.locator("#astray").click()
        await tab.locator("#elsewhere").click(no_wait_after=True)
        await tab.wait_for_function("refused.some(one => one.startsWith('form-action'))")
        assert await tab.evaluate("window.zqx") is None
        assert tab.url == f"{address}/resume"
        refused = " ".join(await tab.evaluate("window.refused"))
        for directive in ("script-src-elem", "script-src-attr", "img-src", "frame-src",
                          "form-action", "base-uri", "style-src-attr", "object-src"):  # fmt: skip
            assert directive in refused, directive


PLANTED = """
<base href="//zqx.example/"><script>window.zqx=1</script><script src="/static/keep.js"></script>
<img src="/x" onerror="window.zqx=1"><img src="//zqx.example/x.gif"><object data="/x"></object>
<iframe src="/privacy"></iframe><p style="color: red">zqx</p>
<a id="astray" href="javascript:window.zqx=1">zqx</a>
<form action="https://zqx.example/" method="post"><button id="elsewhere">zqx</button></form>
"""
