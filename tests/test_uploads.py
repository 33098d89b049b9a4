"""Files as people send them and staff open them: the form, the chat, the submission's page."""

from __future__ import annotations

import io
import tempfile
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from PIL import Image

from bot.conversation import events as ev
from bot.files import cleaning
from bot.files.bench import EICAR
from bot.store import attachments, conversations
from bot.store.models import Attachment, Audit, ConversationRow, SubmissionRow
from content.schema import Role, Skip
from tests import corpus
from tests.drivers import people
from tests.drivers.staff import Staff
from tests.drivers.waymark import CONTENT, running
from tests.drivers.web import NO_FILE, OnChat, OnForm
from tests.opened import rows
from tests.public import CHILD, CONCERN, plainly
from tests.small import Talk
from tests.test_every_path import script
from tests.test_intake import plain
from web.casework import accounts, passwords
from web.public import uploads

WORDS = CONTENT.wording["en"]
SHOW = "show-us"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))


@pytest.fixture
async def site(tmp_path):
    async with running(tmp_path) as everything:
        yield everything


async def at_the_question(site, channel="form", flow=CHILD, question=SHOW) -> OnForm | OnChat:
    """Somebody who is asked for files."""
    person = OnChat(site) if channel == "chat" else OnForm(site)
    await person.begin(flow)
    await walk(site, person, question)
    return person


async def walk(site, person, to: str | None = None) -> None:
    """Everything up to there (or the end) answered plainly, without a page for each."""
    async with site.database.transaction() as db:
        before = await conversations.load(db, person.id)
        talk = Talk(script(person.flow))
        talk.conversation = before.conversation
        talk.hears(ev.Resume())
        while talk.asked not in (to, None):
            for event in plain(SimpleNamespace(got=talk)):
                talk.hears(event)
        now = site.waymark.clock()
        await conversations.save(db, before, talk.conversation, now)
    await person.carry_on()


async def kept(site):
    return await rows(site.waymark, Attachment)


async def staff(site, name="Ann") -> Staff:
    here = Staff(site.site)
    role = Role.EDUCATION_COORDINATOR.value
    return await here.use(
        await accounts.add(site.waymark, name, f"{name.casefold()}@example.org", role)
    )


# --- Adding -------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["form", "chat"])
async def test_a_drawing_and_a_voice_note_are_added_looked_at_and_sent(site, channel):
    person = await at_the_question(site, channel)
    await person.add(SHOW, corpus.photo(), "IMG_0001.JPG", "image/jpeg")
    assert "We have added that" in person.page.text
    await person.add(SHOW, corpus.webm(), "voice.webm", "audio/webm")
    await person.add(SHOW, corpus.picture("PNG"), "again.png", "image/png")
    assert len(await kept(site)) == 3
    await person.remove(1)
    assert "We have taken that away" in person.page.text
    assert [row.kind for row in await kept(site)].count("picture") == 1
    await person.done(SHOW)
    assert await person.asked() == "easy"
    await walk(site, person)
    assert "1 voice note" in person.page.text
    assert "1 picture" in person.page.text
    (image,) = person.page.html.select("main img[src*=files]")
    seen = await person.http.get(str(image["src"]))
    assert Image.open(io.BytesIO(seen.content)).format == "JPEG"
    await person.send()
    (sent,) = await rows(site.waymark, SubmissionRow)
    assert {row.submission for row in await kept(site)} == {sent.id}
    assert (await person.http.get(str(image["src"]))).status_code == 404, "it is with staff now"
    await person.open(f"/chat/{person.id}")
    assert not person.page.html.select("img[src*=files]")


@pytest.mark.parametrize("channel", ["form", "chat"])
async def test_what_is_not_taken_is_said_plainly_and_not_kept(site, channel):
    person = await at_the_question(site, channel)
    for data, name, said, key in (
        (EICAR, "eicar.jpg", "image/jpeg", "file-unsafe"),
        (corpus.HTML, "photo.jpg", "image/jpeg", "file-kind"),
        (corpus.SVG, "drawing.svg", "image/svg+xml", "file-kind"),
        (corpus.pdf(), "letter.pdf", "application/pdf", "file-kind"),
        (corpus.word(), "letter.docx", "", "file-word"),
        (b"", "empty.jpg", "image/jpeg", "file-empty"),
        (bytes(50 * 1024 * 1024), "film.mp4", "video/mp4", "file-too-big"),
        (bytes(cleaning.LARGEST + 1), "film.mp4", "video/mp4", "file-too-big"),
    ):
        page = await person.add(SHOW, data, name, said)
        gaps = {"kinds": "pictures or voice notes", "most": "10"}
        assert page.status == 422, name
        assert WORDS[f"conversation.problem.{key}"].format(**gaps) in page.text
        assert name not in page.html.decode()
    await person.send_form(*nothing_chosen(person))
    assert "Please add something first" in person.page.text
    assert await kept(site) == []
    assert await person.asked() == SHOW


def nothing_chosen(person):
    form = person.page.one("#files form" if isinstance(person, OnChat) else "form.wm-question")
    return form, form.select_one("button[name=add]")


async def test_whatever_it_is_called_it_is_never_called_that(site):
    form = await at_the_question(site)
    names = [
        "../../../etc/passwd",
        "a\0b.jpg",
        "\u202egpj.exe",
        "con.jpg",
        "x" * 250,
        "<b>.jpg",
        "😀",
    ]
    for name in names:
        page = await form.add(SHOW, corpus.picture(), name, "text/html")
        assert page.status == 200, name
        (row,) = await kept(site)
        assert name not in str({**vars(row), "content": ""}) + page.text
        assert row.media_type == "image/jpeg"
        await form.remove()


async def test_carry_on_takes_the_file_that_was_chosen(site):
    form = await at_the_question(site)
    await form.done(SHOW)
    assert form.page.status == 422
    await form.send_form(
        form.page.one("form.wm-question"), file=("a.png", corpus.picture("PNG"), "image/png")
    )
    assert await form.asked() == "easy"
    assert len(await kept(site)) == 1


async def test_the_same_page_sent_twice_adds_once_and_another_file_adds_another(site):
    form = await at_the_question(site)
    page = form.page
    await form.add(SHOW, corpus.picture())
    await form.begin_again()
    assert form.page.status == 200
    assert len(await kept(site)) == 1
    button = page.one("button[name=add]")
    other = ("b.jpg", corpus.picture(size=(90, 90)), "")
    await form.send_form(page.one("form.wm-question"), button, page, other)
    assert len(await kept(site)) == 2


async def test_three_are_enough(site):
    form = await at_the_question(site)
    for side in (50, 60, 70):
        await form.add(SHOW, corpus.picture(size=(side, side)))
    assert not form.page.html.select("input[type=file]")
    address = f"/form/{form.id}/{SHOW}/files"
    await form.post(address, [("add", "yes")], ("d.jpg", corpus.picture(), ""))
    assert "as many as fit here" in form.page.text
    assert len(await kept(site)) == 3
    await form.done(SHOW)
    assert await form.asked() == "easy"


async def test_it_can_be_changed_gone_back_to_and_deleted(site):
    form = await at_the_question(site)
    await form.add(SHOW, corpus.picture())
    await form.back()
    await form.skip(await form.asked(), Skip.SKIPPED)
    assert await form.asked() == SHOW, "they have not said that they are done with it"
    assert form.page.html.select("main img[src*=files]")
    assert not form.page.html.select("[name=skip]"), "it would be unclear what that does"
    await form.open(f"/form/{form.id}/delete")
    await form.send_form(form.page.one("form[action$='/delete']"))
    assert await kept(site) == []
    assert await rows(site.waymark, ConversationRow) == []


async def test_a_file_is_carried_on_with_in_another_browser(site):
    form = await at_the_question(site)
    await form.add(SHOW, corpus.picture())
    code = await form.stop()
    other = OnForm(site)
    await other.resume_in_browser(code)
    page = await other.open(f"/form/{other.id}/{SHOW}")
    picture = str(page.one("main img[src*=files]")["src"])
    assert (await other.http.get(picture)).status_code == 200
    assert (await form.http.get(picture)).status_code == 404


async def test_a_carer_adds_a_letter(site):
    form = await at_the_question(site, flow=CONCERN, question="letter")
    await form.add("letter", corpus.pdf(), "letter.pdf", "application/pdf")
    await form.done("letter")
    await form.choose("privacy", "read")
    assert "1 PDF" in form.page.text
    await form.send()
    (row,) = await kept(site)
    assert row.content == corpus.pdf()


async def test_on_telegram_it_is_said_where_to_add_one(site):
    person = people.on("telegram", site)
    await person.begin(CONCERN)
    await plainly(person, CONCERN)
    said = next(shown.text for shown in person.person.shown if "a letter or a photo" in shown.text)
    assert "We can't take files here. You can skip this." in said
    assert "carry on at http" in said


# --- What nobody's browser sends ------------------------------------------------------------


async def test_odd_bodies_are_answered_with_a_page(site):
    form = await at_the_question(site)
    address = f"/form/{form.id}/{SHOW}/files"
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    for headers, body in (
        ({"content-type": "multipart/form-data"}, b"anything"),
        (multipart, b""),
        (multipart, b"--x\r\nnothing like it"),
        (multipart, b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n"),
        (multipart, b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nwords\r\n--x--\r\n"),
        (multipart, b"--x\r\n" * 2000),
        ({"content-type": "application/json"}, b'{"file": 1}'),
        ({"content-type": "application/x-www-form-urlencoded"}, b"add=yes&file=words"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"remove=picture:nothing"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=1&" * 3000),
        ({}, b"x"),
    ):
        for where in (address, address.replace("/form/", "/chat/")):
            answer = await form.http.post(where, content=body, headers=headers)
            assert answer.status_code in (200, 303, 422), (headers, body[:30])
    assert await kept(site) == []


async def test_only_where_files_are_asked_for_may_a_body_be_large(site):
    form = await at_the_question(site)
    large = {"answer": "x" * 300_000}
    assert (await form.http.post(f"/form/{form.id}/{SHOW}", data=large)).status_code == 413
    assert (await form.http.post("/start/raise-a-concern", data=large)).status_code == 413
    huge = {"content-length": str(65 * 1024 * 1024)}
    answer = await form.http.post(f"/form/{form.id}/{SHOW}/files", content=b"x", headers=huge)
    assert answer.status_code == 413
    other = await form.http.post(f"/form/{form.id}/easy/files", files={"file": NO_FILE})
    assert other.headers["location"].startswith(f"/form/{form.id}")


async def test_of_a_stranger_nothing_is_read(site):
    form = await at_the_question(site)
    read = 0

    async def body():
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(100_000)

    answer = await OnForm(site).http.post(f"/form/{form.id}/{SHOW}/files", content=body())
    assert answer.status_code == 404
    assert read <= 100  # the test's transport reads ahead; the site did not
    assert await kept(site) == []


async def test_no_file_touches_the_disk_on_its_way(site, monkeypatch):
    def refuse(self):
        raise AssertionError("it was written to a temporary file")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    form = await at_the_question(site)
    noise = io.BytesIO()
    Image.effect_noise((2500, 2000), 90).save(noise, "PNG")
    assert len(noise.getvalue()) > 3_000_000
    await form.add(SHOW, noise.getvalue())
    assert len(await kept(site)) == 1


async def test_when_there_is_no_room_it_is_said(site, monkeypatch):
    form = await at_the_question(site)
    monkeypatch.setattr(uploads, "_room", uploads._Room(0))
    await form.add(SHOW, corpus.picture())
    assert WORDS["conversation.problem.file-busy"] in form.page.text
    monkeypatch.setattr(uploads, "_room", uploads._Room(1))
    for _ in range(3):
        await form.add(SHOW, corpus.HTML)
        assert "that kind of file" in form.page.text, "a place was not given back"


# --- Staff --------------------------------------------------------------------------------


async def sent_with(site, *data: bytes) -> str:
    """A submission with these files; its id."""
    form = await at_the_question(site)
    for one in data:
        await form.add(SHOW, one)
    await form.done(SHOW)
    await walk(site, form)
    await form.send()
    return max(await rows(site.waymark, SubmissionRow), key=lambda row: row.received_at).id


def sealed_off(response) -> None:
    """What every file is handed out with."""
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-disposition"].startswith("attachment; filename=")


async def test_staff_see_hear_and_save_what_was_sent(site):
    submission = await sent_with(site, corpus.photo(), corpus.wav())
    ann = await staff(site)
    await ann.open(submission)
    assert "Picture 1" in ann.text
    assert "Voice note 1" in ann.text
    assert "Not scanned: no scanner is set up" in ann.text
    image, sound = ann.page.select_one("#files img"), ann.page.select_one("#files audio")
    for element, kind, dest in ((image, "image/jpeg", "image"), (sound, "audio/wav", "audio")):
        shown = await ann.http.get(element["src"], headers={"sec-fetch-dest": dest})
        assert (shown.status_code, shown.headers["content-type"]) == (200, kind)
        sealed_off(shown)
        for dest in ("document", "iframe", "embed", "script", "style", "worker"):
            opened = await ann.http.get(element["src"], headers={"sec-fetch-dest": dest})
            assert opened.status_code == 404, dest
    links = ann.page.select("#files a")
    names = ["picture-1.jpg", "voice-note-1.wav"]
    for link, name in zip(links, names, strict=True):
        saved = await ann.http.get(link["href"], headers={"sec-fetch-dest": "document"})
        sealed_off(saved)
        assert saved.headers["content-disposition"] == f'attachment; filename="{name}"'
    done = [
        (row.action, row.detail)
        for row in await rows(site.waymark, Audit)
        if row.action.startswith("file.")
    ]
    assert [action for action, _ in done] == [*["file.shown"] * 2, *["file.downloaded"] * 2]
    assert done[2][1]["name"] == "picture-1"
    await ann.open(submission)
    assert "downloaded picture-1" in ann.text


async def test_a_recording_is_handed_out_piece_by_piece(site):
    submission = await sent_with(site, corpus.wav())
    ann = await staff(site)
    await ann.open(submission)
    address = ann.page.select_one("#files audio")["src"]
    whole = (await ann.http.get(address)).content
    for asked, first, last in (
        ("bytes=0-1", 0, 1),
        ("bytes=100-", 100, None),
        ("bytes=5-99999999", 5, None),
    ):
        piece = await ann.http.get(address, headers={"range": asked})
        assert piece.status_code == 206
        assert piece.content == whole[first : None if last is None else last + 1]
        end = len(whole) - 1 if last is None else last
        assert piece.headers["content-range"] == f"bytes {first}-{end}/{len(whole)}"
        sealed_off(piece)
    for asked in ("bytes=99999999-", "bytes=9-3"):
        assert (await ann.http.get(address, headers={"range": asked})).status_code == 416
    for asked in ("bytes=-5", "lines=1-2", "bytes=0-1,4-5", "x"):
        assert (await ann.http.get(address, headers={"range": asked})).content == whole


async def test_a_file_opens_only_in_its_own_submission_and_for_staff(site):
    one = await sent_with(site, corpus.picture())
    two = await sent_with(site, corpus.picture(size=(80, 80)))
    by_submission = {row.submission: row for row in await kept(site)}
    mine, theirs = by_submission[one], by_submission[two]
    ann = await staff(site)
    for end in ("", "/within"):
        assert (
            await ann.http.get(f"/staff/submissions/{one}/files/{mine.id}{end}")
        ).status_code == 200
        for wrong in (f"{one}/files/{theirs.id}", f"{two}/files/{mine.id}", f"{one}/files/nothing"):
            got = await ann.http.get(f"/staff/submissions/{wrong}{end}")
            assert got.status_code == 404, wrong
        stranger = Staff(site.site)
        got = await stranger.http.get(f"/staff/submissions/{one}/files/{mine.id}{end}")
        assert got.status_code == 303


@pytest.mark.parametrize("state", ["pending", "suspect", "error"])
async def test_what_may_do_harm_nobody_opens(site, state):
    submission = await sent_with(site, corpus.picture())
    (row,) = await kept(site)
    async with site.database.transaction() as db:
        await attachments.set_scan(db, row.id, state)
    ann = await staff(site)
    await ann.open(submission)
    assert not ann.page.select("#files a, #files img")
    assert ann.page.select(".staff-files__shut")
    for end in ("", "/within"):
        address = f"/staff/submissions/{submission}/files/{row.id}{end}"
        assert (await ann.http.get(address)).status_code == 404


async def test_with_a_scanner_staff_wait_for_it(tmp_path):
    verdict = tmp_path / "verdict"
    verdict.write_text("2")
    async with running(tmp_path, scan_command=f"sh -c 'exit $(cat {verdict})'") as site:
        submission = await sent_with(site, corpus.picture())
        ann = await staff(site)
        await ann.open(submission)
        assert "Waiting to be scanned" in ann.text
        form = await at_the_question(site)
        verdict.write_text("1")
        await form.add(SHOW, corpus.picture())
        assert WORDS["conversation.problem.file-unsafe"] in form.page.text
        verdict.write_text("0")
        await form.add(SHOW, corpus.picture())
        assert sorted(row.scan for row in await kept(site)) == ["clean", "pending"]
