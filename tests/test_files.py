"""Files from outside: what is let in and what of it, and what is refused with a plain sentence."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.files import bench, cleaning, scanning
from bot.files.bench import EICAR
from bot.files.scanning import ScanState
from bot.files.unfit import Unfit
from content.schema import FileKind
from tests import corpus
from tests.drivers.waymark import CONTENT

ALL = frozenset(FileKind)
WORDS = CONTENT.wording["en"]


def taken(data: bytes) -> bytes:
    """Cleaned in this process."""
    return bench.clean(data, ALL)[2]


def shown(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(taken(data)))
    assert image.format == "JPEG"
    image.load()
    return image


def near(pixel: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(pixel, wanted, strict=True))


# --- Refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", corpus.REFUSED)
async def test_what_is_not_taken_is_refused_with_a_sentence(what):
    key, made = corpus.REFUSED[what]
    with pytest.raises(Unfit) as refused:
        await cleaning.clean(made(), ALL)
    assert refused.value.key == key
    gaps = {"kinds": "pictures", **refused.value.gaps}
    assert WORDS[f"conversation.problem.{key}"].format(**gaps).endswith(".")


async def test_a_file_over_the_limit_is_refused_before_it_is_opened():
    with pytest.raises(Unfit, match="file-too-big"):
        await cleaning.clean(bytes(cleaning.LARGEST + 1), ALL)


async def test_a_question_takes_only_its_own_kinds():
    for data, accepts in (
        (corpus.pdf(), {FileKind.PICTURE, FileKind.VOICE}),
        (corpus.wav(), {FileKind.PICTURE}),
        (corpus.picture(), {FileKind.DOCUMENT}),
    ):
        with pytest.raises(Unfit, match="file-kind"):
            await cleaning.clean(data, accepts)


async def test_whatever_kills_the_bench_only_refuses_the_file(monkeypatch):
    for begin in (
        "import os; os.abort()",
        "import time; time.sleep(60)",
        "print('x' * 20_000_000)",
    ):
        monkeypatch.setattr(cleaning, "_BEGIN", begin)
        monkeypatch.setattr(cleaning, "PATIENCE", 1.0)
        with pytest.raises(Unfit, match="file-broken"):
            await cleaning.clean(corpus.picture(), ALL)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits to set there")
async def test_on_the_bench_nothing_else_can_be_opened_or_begun(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("CANARY")
    tries = (
        f"open({str(secret)!r}).read()",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "__import__('_socket').socket()",
        "bytearray(2_000_000_000)",
    )
    for attempt in tries:
        code = cleaning._BEGIN.split(";")[0] + f"; {cleaning._BEGIN.split('; ')[1]}; "
        code += f"from bot.files import bench; import _socket; bench._shut_doors(); {attempt}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", code, stderr=asyncio.subprocess.PIPE, env={}
        )
        _, said = await process.communicate()
        assert process.returncode != 0, attempt
        assert b"OSError" in said or b"MemoryError" in said or b"Errno" in said, said


# --- Pictures -----------------------------------------------------------------------------


async def test_a_photo_tells_nothing_but_what_it_shows():
    before = corpus.photo()
    assert b"Exif" in before
    assert corpus.CAMERA in before
    assert corpus.COMMENT in before
    after = (await cleaning.clean(before, ALL)).content
    for told in (b"Exif", b"CANARY", b"ICC_PROFILE", b"http", b"2026"):
        assert told not in after
    image = Image.open(io.BytesIO(after))
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("turned", "corner"),
    [
        (1, (0, 0)),
        (2, (1, 0)),
        (3, (1, 1)),
        (4, (0, 1)),
        (5, (0, 0)),
        (6, (1, 0)),
        (7, (1, 1)),
        (8, (0, 1)),
    ],
)
def test_a_photo_is_turned_upright(turned, corner):
    image = shown(corpus.photo(turned))
    assert image.size == ((480, 640) if turned >= 5 else (640, 480))
    at = tuple(5 + corner[axis] * (image.size[axis] - 11) for axis in (0, 1))
    assert near(image.getpixel(at), (255, 255, 255))


def test_a_large_photo_is_made_smaller_and_keeps_its_shape():
    image = shown(corpus.picture(size=(5000, 2500)))
    assert image.size == (2560, 1280)


@pytest.mark.parametrize(
    "data",
    [
        corpus.picture("PNG"), corpus.picture("WEBP"), corpus.picture(mode="CMYK"),
        corpus.picture("PNG", mode="P"), corpus.picture("PNG", mode="RGBA"),
        corpus.picture("WEBP", lossless=True), corpus.picture(progressive=True),
        corpus.picture("MPO"),
    ],
)  # fmt: skip
async def test_every_way_to_keep_a_picture_comes_out_the_same(data):
    image = shown((await cleaning.clean(data, ALL)).content)
    assert image.mode == "RGB"
    assert near(image.getpixel((600, 400)), (200, 30, 30))
    assert near(image.getpixel((5, 5)), (255, 255, 255))


def test_deep_greys_stay_grey():
    assert near(shown(corpus.grey16()).getpixel((9, 9)), (156, 156, 156))


def test_what_could_be_seen_through_is_seen_on_white():
    out = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(out, "PNG")
    assert near(shown(out.getvalue()).getpixel((9, 9)), (255, 255, 255))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_a_moving_picture_the_first_is_kept(form):
    image = shown(corpus.moving(form))
    assert getattr(image, "n_frames", 1) == 1
    assert near(image.getpixel((9, 9)), (255, 0, 0))


@pytest.mark.parametrize(
    "tail", [corpus.zipped(a=b"CANARY"), corpus.HTML, EICAR[:30], corpus.pdf()]
)
def test_what_hangs_on_a_picture_is_gone(tail):
    assert taken(corpus.picture() + tail) == taken(corpus.picture())


# --- PDFs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        corpus.pdf(),
        corpus.pdf(corpus.stream(b"BT (about /JS and scripts) Tj ET")),
        corpus.pdf(corpus.stream(b"7 0 <</Type/Font>>", b"/Type/ObjStm/N 1/First 4")),
        corpus.pdf(corpus.stream(corpus.picture(), b"/Filter/DCTDecode", packed=False)),
        corpus.pdf(corpus.stream(bytes(9_000_000), b"/Subtype/Image")),
        corpus.pdf(root=b"/OpenAction[3 0 R/Fit]/Lang(en-GB)"),
    ],
)
def test_a_letter_is_kept_as_it_is(data):
    assert taken(data) == data


@pytest.mark.parametrize("tail", [corpus.zipped(a=b"CANARY"), corpus.HTML, b"\n" * 3000])
def test_what_hangs_on_a_pdf_is_gone(tail):
    assert taken(corpus.pdf() + tail) == corpus.pdf()


# --- Sound --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", corpus.SOUNDS)
async def test_a_voice_note_keeps_its_sound_and_loses_its_tags(how):
    media_type, made = corpus.SOUNDS[how]
    assert corpus.TAG in made()
    cleaned = await cleaning.clean(made(), ALL)
    assert (cleaned.kind, cleaned.media_type) == (FileKind.VOICE, media_type)
    assert corpus.TAG not in cleaned.content
    assert b"52.8" not in cleaned.content
    assert taken(cleaned.content) == cleaned.content, "what we made, we take"


def test_no_sound_is_lost():
    import wave

    with wave.open(io.BytesIO(taken(corpus.wav(0.5)))) as heard:
        assert heard.getnframes() == 4000
    assert len(taken(corpus.mp3(20))) == 20 * 417
    assert taken(corpus.mp3(20)[:-60] + b"\xff\0junk" + corpus.mp3(20)).count(b"\xff\xfb\x90") == 40
    assert taken(corpus.ogg()).endswith(corpus.ogg()[-200:])
    assert taken(corpus.webm(50)).count(b"\xf8\xff\xfe") == 50
    assert b"\x21\x10\x04" * 200 in taken(corpus.mp4())


def test_what_hangs_on_a_recording_is_gone():
    for tail in (corpus.HTML, corpus.zipped(a=b"CANARY")):
        assert b"script" not in taken(corpus.mp3() + tail)
        assert taken(corpus.wav() + tail) == taken(corpus.wav())
        for joined in (corpus.ogg() + tail, corpus.webm() + tail):
            with pytest.raises(Unfit):
                taken(joined)


# --- Anything at all ----------------------------------------------------------------------

GOOD = [
    corpus.photo(), corpus.picture("PNG", (60, 40)), corpus.picture("WEBP", (60, 40)), corpus.pdf(),
    corpus.pdf(corpus.stream(b"7 0 <</Type/Font>>", b"/Type/ObjStm/N 1/First 4")),
    *(made() for _, made in corpus.SOUNDS.values()),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 10_000),
)
def test_whatever_comes_is_taken_or_refused(data, changes, cut):
    spoilt = bytearray(data)
    for at, put in changes:
        at %= len(spoilt)
        spoilt[at : at + len(put)] = put
    if cut % 3 == 0:
        del spoilt[cut % len(spoilt) :]
    with contextlib.suppress(Unfit):
        taken(bytes(spoilt))


# --- The scanner --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (None, ScanState.UNSCANNED),
        ("sh -c 'exit 0'", ScanState.CLEAN),
        ("sh -c 'exit 1'", ScanState.SUSPECT),
        ("sh -c 'exit 2'", ScanState.PENDING),
        ("there-is-no-such-scanner", ScanState.PENDING),
        ("sh -c 'grep -q CANARY && exit 1 || exit 0'", ScanState.SUSPECT),
        ("sleep 9", ScanState.PENDING),
    ],
)
async def test_what_the_scanner_says(command, state, monkeypatch):
    monkeypatch.setattr(scanning, "PATIENCE", 0.5)
    assert await scanning.scan(command, b"a CANARY in a file" * 20_000) is state
