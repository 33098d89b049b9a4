"""A person in the browser without JavaScript: follows links and fills forms as the HTML says."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import BeautifulSoup, Tag

from content.schema import Skip
from tests.drivers.waymark import Running

Field = tuple[str, str]
File = tuple[str, bytes, str]
"""What it is called, what is in it, and what it is said to be."""
NO_FILE: File = ("", b"", "application/octet-stream")
"""What a browser sends of a file field where none was chosen."""


@lru_cache(maxsize=32)
def parsed(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


class Page:
    """One page as it came."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.address = str(response.url)
        self.path = urlsplit(self.address).path
        self.headers = response.headers
        self.html = parsed(response.text)

    @property
    def text(self) -> str:
        """Everything to be read in the middle of the page."""
        return " ".join((self.html.main or self.html).get_text(" ").split())

    @property
    def title(self) -> str:
        return self.html.title.get_text() if self.html.title else ""

    @property
    def heading(self) -> str:
        return " ".join(self.html.h1.get_text(" ").split()) if self.html.h1 else ""

    def one(self, selector: str) -> Tag:
        found = self.html.select_one(selector)
        assert found is not None, f"no {selector} on {self.path}: {self.text[:300]}"
        return found

    def link(self, words: str) -> str:
        """Where the link with these words leads."""
        for link in self.html.select("a[href]"):
            if words in " ".join(link.get_text(" ").split()):
                return str(link["href"])
        raise AssertionError(f"no link {words!r} on {self.path}")


def controls(form: Tag, button: Tag | None = None) -> list[Field]:
    """What a browser sends of a form as it stands, with the button that was pressed."""
    fields: list[Field] = []
    for control in form.select("input[name], textarea[name]"):
        kind = control.get("type", "text")
        if kind == "file":
            continue
        if kind in ("radio", "checkbox") and not control.has_attr("checked"):
            continue
        value = control.get_text() if control.name == "textarea" else control.get("value", "")
        fields.append((str(control["name"]), str(value)))
    if button is not None and button.get("name"):
        fields.append((str(button["name"]), str(button.get("value", ""))))
    return fields


class Visitor:
    """One browser with cookies of its own, and the page it shows."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.http = running.http()
        self.page = Page(httpx.Response(204, request=httpx.Request("GET", "http://nowhere/")))
        self.last: tuple[str, list[Field], File | None] = ("", [], None)

    async def open(self, address: str) -> Page:
        self.page = Page(await self.http.get(address, follow_redirects=True))
        return self.page

    async def follow(self, words: str) -> Page:
        return await self.open(urljoin(self.page.address, self.page.link(words)))

    async def post(self, address: str, fields: list[Field], file: File | None = None) -> Page:
        self.last = (address, fields, file)
        pairs: dict[str, list[str]] = {}
        for name, value in fields:
            pairs.setdefault(name, []).append(value)
        response = await self.http.post(
            address,
            data=pairs,
            files={"file": file} if file else None,
            headers={"sec-fetch-site": "same-origin"},
            follow_redirects=True,
        )
        self.page = Page(response)
        return self.page

    async def send_form(
        self, form: Tag, button: Tag | None = None, page: Page | None = None,
        file: File | None = None, **typed: object,
    ) -> Page:  # fmt: skip
        """Fill in a form (of an older page, if one is given) and press a button of it."""
        if form.get("enctype") == "multipart/form-data" and file is None:
            file = NO_FILE
        fields = [(n, v) for n, v in controls(form, button) if n not in typed]
        for name, value in typed.items():
            values = value if isinstance(value, list) else [value]
            fields += [(name, str(one)) for one in values]
        on = page or self.page
        return await self.post(urljoin(on.address, str(form["action"]).split("#")[0]), fields, file)

    async def start(self, flow: str, mode: str, **more: str) -> Page:
        await self.open(f"/start/{flow}")
        form = self.page.one(f"form[action='/start/{flow}']")
        button = form.select_one(f"button[value={mode}]")
        assert button is not None
        return await self.send_form(form, button, **more)

    async def begin_again(self) -> Page:
        """The last thing posted, once more."""
        return await self.post(*self.last)


class OnForm(Visitor):
    """The journeys' verbs (person.py) on the form."""

    flow = ""

    async def add(
        self, question: str, data: bytes, name: str = "IMG_1.JPG", said: str = ""
    ) -> Page:
        """A file chosen, and "Add this" pressed."""
        page = await self.at(question)
        return await self.send_form(
            page.one("form.wm-question"), page.one("button[name=add]"), file=(name, data, said)
        )

    async def remove(self, number: int = 1) -> Page:
        button = self.page.html.select("button[name=remove]")[number - 1]
        return await self.send_form(self.page.one("form.wm-question"), button)

    async def done(self, question: str) -> Page:
        """No more files."""
        page = await self.at(question)
        return await self.send_form(page.one("form.wm-question"))

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self.shown: dict[str, Page] = {}
        self.notices: list[str] = []

    @property
    def home(self) -> str:
        """`/form/<conversation>`."""
        return "/".join(self.page.path.split("/")[:3])

    async def begin(self, flow: str) -> None:
        self.flow = flow
        await self.start(flow, "form")
        self.id = self.page.path.split("/")[2]

    async def asked(self) -> str:
        last = self.page.path.removesuffix("/files").rsplit("/", 1)[1]
        if last != "notice":
            self.shown.setdefault(last, self.page)
        return {"check": "review", "end": "ended"}.get(last, last)

    async def at(self, question: str) -> Page:
        if not self.page.path.removesuffix("/files").endswith(f"/{question}"):
            await self.open(f"/form/{self.id}/{question}")
        self.shown.setdefault(question, self.page)
        return self.page

    async def answer(self, question: str, *values: str) -> Page:
        page = await self.at(question)
        boxes = page.html.select("form.wm-question [name=answer][value]")
        offered = {str(box["value"]) for box in boxes if box.get("type") in ("radio", "checkbox")}
        assert not offered or offered.issuperset(values), f"{question} does not offer {values}"
        await self.send_form(page.one("form.wm-question"), answer=list(values))
        return await self.past_notice()

    async def past_notice(self) -> Page:
        if self.page.path.endswith("/notice"):
            self.notices.append(self.page.text)
            await self.follow("Carry on with the questions")
        return self.page

    async def choose(self, question: str, value: str) -> None:
        await self.answer(question, value)

    async def tick(self, question: str, values: list[str]) -> None:
        await self.answer(question, *values)

    async def say(self, question: str, text: str) -> None:
        await self.answer(question, text)

    async def skip(self, question: str, skip: Skip) -> None:
        page = await self.at(question)
        form = page.one("form.wm-question")
        await self.send_form(form, page.one(f"button[name=skip][value={skip.value}]"))
        await self.past_notice()

    async def back(self) -> None:
        address = self.page.link("Back")
        if not address.startswith("/start/"):
            await self.open(address)

    async def another_way(self, question: str) -> str:
        folded = (await self.at(question)).one("form.wm-question details")
        assert "open" not in folded.attrs
        return folded.get_text(" ")

    async def change(self, question: str, value: str) -> None:
        await self.open(f"/form/{self.id}/check")
        await self.open(str(self.page.one(f"a[href$='/{question}']")["href"]))
        await self.answer(question, value)

    async def edit(self, question: str, text: str) -> None:
        await self.change(question, text)

    async def again(self, times: int) -> None:
        for _ in range(times):
            await self.begin_again()

    async def late(self, question: str, text: str) -> None:
        """From a window that still shows the question as it first was."""
        old = self.shown[question]
        await self.send_form(old.one("form.wm-question"), page=old, answer=text)
        assert text in str(self.page.html), "what they typed is lost"
        await self.open(f"/form/{self.id}")

    async def unclear(self, question: str, text: str) -> str:
        page = await self.at(question)
        await self.send_form(page.one("form.wm-question"), answer=text)
        assert self.page.status == 422
        return self.page.text

    async def start_over(self) -> str:
        return (await self.open(f"/start/{self.flow}")).text

    async def carry_on(self) -> None:
        await self.open(f"/form/{self.id}")

    async def junk_link(self, payload: str) -> None:
        assert (await self.open(f"/start/{payload}")).status == 404

    async def help_now(self) -> str:
        await self.follow("I need help now")
        said = self.page.text
        await self.follow("Go back to where you were")
        return said

    async def stop(self) -> str:
        form = self.page.one(f"form[action='/form/{self.id}/stopped']")
        await self.send_form(form)
        return self.page.one(".wm-code").get_text()

    async def resume_in_browser(self, code: str) -> None:
        await self.open("/resume")
        await self.send_form(self.page.one("form[action='/resume']"), code=code)
        self.id = self.page.path.split("/")[2]

    async def send(self) -> str:
        await self.send_form(self.page.one("form[action$='/check']"))
        return self.page.text

    async def send_in_two_tabs(self) -> tuple[str, str]:
        one = self.page
        two = await self.open(one.path)
        await self.send_form(one.one("form[action$='/check']"), page=one)
        first = self.page.text
        await self.send_form(two.one("form[action$='/check']"), page=two)
        return first, self.page.text


class OnChat(Visitor):
    """The journeys' verbs (person.py) in the browser chat."""

    flow = ""

    async def add(
        self, question: str, data: bytes, name: str = "IMG_1.JPG", said: str = ""
    ) -> Page:
        assert await self.asked() == question
        form = self.page.one("#files form")
        return await self.send_form(
            form, form.select_one("button[name=add]"), file=(name, data, said)
        )

    async def remove(self, number: int = 1) -> Page:
        button = self.page.html.select("button[name=press][value^='u|']")[number - 1]
        return await self.send_form(self.page.one("#steps"), button)

    async def done(self, question: str) -> Page:
        return await self.press("d", question)

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self.shown: dict[str, Page] = {}

    async def begin(self, flow: str) -> None:
        self.flow = flow
        await self.start(flow, "chat")
        self.id = self.page.path.split("/")[2]

    async def asked(self) -> str:
        at = str(self.page.one("#chat")["data-at"])
        self.shown.setdefault(at, self.page)
        return {"submitted": "sent"}.get(at, at)

    def bubbles(self, of: str = "bot") -> list[str]:
        found = self.page.html.select(f"#log .wm-bubble--{of}")
        return [" ".join(bubble.get_text(" ").split()) for bubble in found]

    async def press(self, start: str, end: str = "") -> Page:
        """A button by what it carries: its first letter, and how it ends."""
        await self.asked()
        for button in self.page.html.select("button[name=press]"):
            kind, _, rest = str(button["value"]).partition("|")
            if kind == start and rest.partition("|")[2] == end:
                return await self.send_form(self.page.one("#steps"), button)
        raise AssertionError(f"no button {start}|…|{end} in {self.page.text[-400:]}")

    async def type(self, text: str) -> Page:
        await self.asked()
        return await self.send_form(self.page.one("#words"), text=text)

    async def choose(self, question: str, value: str) -> None:
        await self.press("a", f"{question}|{value}")

    async def tick(self, question: str, values: list[str]) -> None:
        button = self.page.one(f"button[name=tick][value={question}]")
        await self.send_form(self.page.one("#steps"), button, answer=values)

    async def say(self, question: str, text: str) -> None:
        assert await self.asked() == question
        await self.type(text)

    async def skip(self, question: str, skip: Skip) -> None:
        await self.press("k", f"{question}|{skip.value}")

    async def back(self) -> None:
        await self.type("back")

    async def another_way(self, question: str) -> str:
        await self.press("w", question)
        return self.page.one("#log [id$='-another-way']").get_text(" ")

    async def change(self, question: str, value: str) -> None:
        await self.press("g", question)
        await self.choose(question, value)

    async def edit(self, question: str, text: str) -> None:
        await self.press("g", question)
        await self.say(question, text)

    async def again(self, times: int) -> None:
        for _ in range(times):
            await self.begin_again()

    async def late(self, question: str, text: str) -> None:
        """From a window that still shows the question as it first was."""
        old = self.shown[question]
        await self.send_form(old.one("#words"), page=old, text=text)
        assert text in str(self.page.html), "what they typed is lost"

    async def unclear(self, question: str, text: str) -> str:
        await self.type(text)
        assert self.page.status == 422
        return self.page.text

    async def start_over(self) -> str:
        return (await self.open(f"/start/{self.flow}")).text

    async def carry_on(self) -> None:
        await self.open(f"/chat/{self.id}")

    async def junk_link(self, payload: str) -> None:
        assert (await self.open(f"/start/{payload}")).status == 404

    async def help_now(self) -> str:
        await self.type("help me")
        return self.bubbles("notice")[-1]

    async def stop(self) -> str:
        await self.type("stop")
        return self.page.one("#log .wm-code").get_text()

    async def resume_in_browser(self, code: str) -> None:
        await self.open("/resume")
        await self.send_form(self.page.one("form[action='/resume']"), code=code)
        self.id = self.page.path.split("/")[2]
        await self.open(f"/chat/{self.id}")

    async def send(self) -> str:
        return (await self._send(self.page)).text

    async def _send(self, page: Page) -> Page:
        button = page.one("#answering button[value^='s|']")
        return await self.send_form(page.one("#steps"), button, page)

    async def send_in_two_tabs(self) -> tuple[str, str]:
        one = self.page
        two = await self.open(one.path)
        first = (await self._send(one)).text
        return first, (await self._send(two)).text
