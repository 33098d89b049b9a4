"""Files as people send them, and as they should not: all made here, none taken from anybody."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

from PIL import Image, ImageDraw

from bot.files.bench import EICAR

# --- Pictures -----------------------------------------------------------------------------


def picture(
    form: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **more
) -> bytes:
    """A red field with a white corner at the top left, so that turning it shows."""
    image = Image.new("RGB", size, (200, 30, 30))
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="white")
    out = io.BytesIO()
    (image if mode == "RGB" else image.convert(mode)).save(out, form, **more)
    return out.getvalue()


def grey16() -> bytes:
    out = io.BytesIO()
    Image.new("I;16", (300, 200), 40_000).save(out, "PNG")
    return out.getvalue()


def moving(form: str) -> bytes:
    """Red, then blue."""
    frames = [Image.new("RGB", (200, 150), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=200, loop=0)
    return out.getvalue()


CAMERA, COMMENT = b"CANARY-Camera-9000", b"CANARY-comment"


def photo(turned: int = 6) -> bytes:
    """As a telephone takes it: lying on its side, with when, where and with what."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turned, CAMERA.decode()
    exif[0x8769] = {0x9003: "2026:11:21 16:05:00", 0x9286: COMMENT}
    exif[0x8825] = {
        1: "N",
        2: (52.0, 48.0, 23.4567),
        3: "W",
        4: (2.0, 7.0, 1.234),
        29: "2026:11:21",
    }
    return picture(exif=exif, comment=COMMENT, icc_profile=b"CANARY-colours" * 20)


def flood(side: int = 30_000) -> bytes:
    """Nearly a thousand million pixels in a hundred kilobytes."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png(b"IHDR", head) + png(b"IDAT", packed) + png(b"IEND", b"")


def text_bomb() -> bytes:
    """A small picture with a caption of 200 MB, well packed."""
    packed = zlib.compress(b"a" * 200_000_000, 9)
    whole = picture("PNG", (8, 8))
    return whole[:33] + png(b"zTXt", b"Comment\0\0" + packed) + whole[33:]


def png(name: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check


# --- PDFs ---------------------------------------------------------------------------------


def pdf(extra: bytes = b"", root: bytes = b"", trailer: bytes = b"") -> bytes:
    """One empty page; `extra` stands between its objects, `root` in the catalogue."""
    return (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R" + root + b">>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>\nendobj\n"
        + extra
        + b"\ntrailer\n<</Root 1 0 R/Size 9" + trailer + b">>\nstartxref\n0\n%%EOF\n"
    )  # fmt: skip


def stream(body: bytes, about: bytes = b"", packed: bool = True) -> bytes:
    body = zlib.compress(body) if packed else body
    how = b"/Filter/FlateDecode" if packed else b""
    length = str(len(body)).encode()
    return (
        b"5 0 obj\n<</Length " + length + how + about + b">>\nstream\n" + body
        + b"\nendstream\nendobj\n"
    )  # fmt: skip


SCRIPT = b"<</S/JavaScript/JS(app.alert(1))>>"
ACTIVE_PDFS: dict[str, bytes] = {
    "script": pdf(root=b"/OpenAction" + SCRIPT),
    "script, its name escaped": pdf(root=b"/OpenAction<</S/J#61va#53cript/JS(app.alert(1))>>"),
    "script in a packed list": pdf(stream(b"7 0 " + SCRIPT, b"/Type/ObjStm/N 1/First 4")),
    "a list packed some other way": pdf(
        stream(b"~~~~", b"/Type/ObjStm/N 1/First 4/Filter/LZWDecode", packed=False)
    ),
    "a list too long to look through": pdf(stream(b" " * 5_000_000 + SCRIPT, b"/Type/Obj#53tm")),
    "a program to launch": pdf(root=b"/OpenAction<</S/Launch/F(cmd.exe)>>"),
    "a file inside": pdf(root=b"/Names<</EmbeddedFiles<</Names[(a.exe) 6 0 R]>>>>"),
    "a form that sends itself": pdf(root=b"/OpenAction<</S/SubmitForm/F(http://a.example)>>"),
    "a form of its own kind": pdf(root=b"/AcroForm<</XFA 6 0 R>>"),
}
LOCKED_PDF = pdf(trailer=b"/Encrypt 8 0 R")

# --- Sound --------------------------------------------------------------------------------

TAG = b"CANARY-said-by-Robin"


def wav(seconds: float = 0.5, rate: int = 8_000) -> bytes:
    """A buzz, with a tag that says who it is."""
    samples = b"".join(
        struct.pack("<h", 8_000 if at // 9 % 2 else -8_000) for at in range(int(seconds * rate))
    )
    tag = b"INFOIART" + struct.pack("<I", len(TAG)) + TAG
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    body += b"LIST" + struct.pack("<I", len(tag)) + tag
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp3(frames: int = 20) -> bytes:
    """Silence at 128 kbit/s, with tags at both ends."""
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413
    body = b"TPE1" + struct.pack(">IH", len(TAG) + 1, 0) + b"\0" + TAG
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + body + frame * frames + b"TAG" + TAG.ljust(125, b"\0")


def ogg(packets: int = 50) -> bytes:
    """Silence in Opus, twenty milliseconds a packet."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 3) + b"abc" + struct.pack("<II", 1, len(TAG) + 7)
    pages = [ogg_page(2, 0, 0, [head]), ogg_page(0, 0, 1, [tags + b"ARTIST=" + TAG])]
    pages.append(ogg_page(4, 312 + packets * 960, 2, [b"\xf8\xff\xfe"] * packets))
    return b"".join(pages)


def ogg_page(flags: int, moment: int, number: int, packets: list[bytes], stream: int = 77) -> bytes:
    lacing = bytes(len(packet) for packet in packets)

    def page(check: int) -> bytes:
        head = struct.pack("<4sBBqIII", b"OggS", 0, flags, moment, stream, number, check)
        return head + bytes([len(lacing)]) + lacing + b"".join(packets)

    check = 0
    for byte in page(0):
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check & 0x80000000 else 0)) & 0xFFFFFFFF
    return page(check)


def ebml(id_: int, body: bytes, unknown: bool = False) -> bytes:
    size = b"\x01" + (b"\xff" * 7 if unknown else len(body).to_bytes(7, "big"))
    return id_.to_bytes((id_.bit_length() + 7) // 8, "big") + size + body


def webm(blocks: int = 50, kind: int = 2, codec: bytes = b"A_OPUS") -> bytes:
    """As Chromium records: segment and clusters of unknown length, and no duration."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    track = ebml(0xD7, b"\1") + ebml(0x73C5, b"\7") + ebml(0x83, bytes([kind])) + ebml(0x86, codec)
    track += ebml(0x63A2, head) + ebml(0x536E, TAG)
    track += ebml(0xE1, ebml(0xB5, struct.pack(">f", 48_000)) + ebml(0x9F, b"\1"))
    half = blocks // 2
    clusters = b"".join(
        ebml(
            0x1F43B675,
            ebml(0xE7, struct.pack(">H", part * half * 20))
            + b"".join(
                ebml(0xA3, b"\x81" + struct.pack(">hB", at * 20, 0x80) + b"\xf8\xff\xfe")
                for at in range(half)
            ),
            unknown=True,
        )
        for part in range(2)
    )
    about = ebml(0x4282, b"webm") + ebml(0x4287, b"\4") + ebml(0x4285, b"\2")
    inside = ebml(0x1549A966, ebml(0x2AD7B1, b"\x0f\x42\x40") + ebml(0x4D80, TAG))
    inside += ebml(0x1654AE6B, ebml(0xAE, track)) + clusters
    inside += ebml(0x1254C367, ebml(0x7373, TAG))
    # filetype looks for the document type written with a length of one byte.
    about = about.replace(ebml(0x4282, b"webm"), b"\x42\x82\x84webm")
    return ebml(0x1A45DFA3, about) + ebml(0x18538067, inside, unknown=True)


def box(name: bytes, *inner: bytes) -> bytes:
    body = b"".join(inner)
    return struct.pack(">I", len(body) + 8) + name + body


def mp4(handler: bytes = b"soun", codec: bytes = b"mp4a", seconds: int = 2) -> bytes:
    """The boxes of a recording; what it says is noise."""
    stamp = struct.pack(">II", 3_800_000_000, 3_800_000_001)
    mvhd = box(b"mvhd", b"\0\0\0\0", stamp, struct.pack(">II", 1000, seconds * 1000), bytes(80))
    tkhd = box(b"tkhd", b"\0\0\0\3", stamp, struct.pack(">III", 1, 0, seconds * 1000), bytes(60))
    mdhd = box(b"mdhd", b"\0\0\0\0", stamp, struct.pack(">IIHH", 44_100, 44_100, 0, 0))
    hdlr = box(b"hdlr", bytes(8), handler, bytes(12), TAG, b"\0")
    dref = box(b"dref", struct.pack(">II", 0, 1), box(b"url ", b"\0\0\0\1", b"\0"))
    stsd = box(b"stsd", struct.pack(">II", 0, 1), box(codec, bytes(28)))
    minf = box(b"minf", box(b"smhd", bytes(8)), box(b"dinf", dref), box(b"stbl", stsd))
    place = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", 18, 0), b"+52.8000-002.1000/"))
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf), box(b"udta", TAG))
    return (
        box(b"ftyp", b"M4A ", bytes(4), b"M4A mp42isom")
        + box(b"moov", mvhd, trak, place)
        + box(b"mdat", b"\x21\x10\x04" * 200)
        + box(b"uuid", bytes(16), TAG)
    )


SOUNDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "wav": ("audio/wav", wav),
    "mp3": ("audio/mpeg", mp3),
    "ogg": ("audio/ogg", ogg),
    "webm": ("audio/webm", webm),
    "mp4": ("audio/mp4", mp4),
}

# --- What is never taken ------------------------------------------------------------------


def zipped(**held: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in held.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), body)
    return out.getvalue()


def word(macro: bool = True) -> bytes:
    parts = {
        "[Content_Types]_xml": b"<Types/>",
        "_rels__rels": b"<r/>",
        "word__document_xml": b"<w/>",
    }
    return zipped(**parts, **({"word__vbaProject.bin": b"Attribute VB_Name"} if macro else {}))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.domain)</script>"
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("file-empty", lambda: b""),
    "the test virus": ("file-unsafe", lambda: EICAR),
    "the test virus in a PDF": ("file-unsafe", lambda: pdf(stream(EICAR, packed=False))),
    "the test virus in a zip": ("file-kind", lambda: zipped(virus=EICAR)),
    "the test virus in a photo": ("file-unsafe", lambda: picture(comment=EICAR)),
    "a zip bomb": ("file-kind", lambda: zipped(bomb=bytes(50_000_000))),
    "a Word file with a macro": ("file-word", word),
    "a pixel flood": ("file-pixels", flood),
    "a bomb of words in a picture": ("file-broken", text_bomb),
    "half a JPEG": ("file-broken", lambda: picture()[: len(picture()) // 2]),
    "half a PNG": ("file-broken", lambda: picture("PNG")[:600]),
    "half a WEBP": ("file-broken", lambda: picture("WEBP")[:300]),
    "half a PDF": ("file-broken", lambda: pdf()[:90]),
    "half a WAV": ("file-broken", lambda: wav()[:60]),
    "half an MP3": ("file-broken", lambda: mp3(2)),
    "half an Ogg": ("file-broken", lambda: ogg()[:-10]),
    "half a WebM": ("file-broken", lambda: webm()[:-15]),
    "half an MP4": ("file-broken", lambda: mp4()[:-30]),
    "an SVG with a script": ("file-kind", lambda: SVG),
    "HTML": ("file-kind", lambda: HTML),
    "HTML before a PDF": ("file-kind", lambda: HTML + pdf()),
    "a GIF that is a script": ("file-kind", lambda: b"GIF89a=1;alert(1)//" + bytes(100)),
    "a script": ("file-kind", lambda: b"#!/bin/sh\nrm -rf /\n"),
    "a program": ("file-kind", lambda: b"MZ" + bytes(200)),
    "an iPhone's own kind of photo": (
        "file-heic", lambda: box(b"ftyp", b"heic", bytes(4), b"mif1heic") + bytes(64)
    ),
    "a film in WebM": ("file-kind", lambda: webm(kind=1, codec=b"V_VP8")),
    "a film in MP4": ("file-kind", lambda: mp4(b"vide", b"avc1")),
    "a long WAV": ("file-long", lambda: wav(310, 8_000)),
    "a long MP4": ("file-long", lambda: mp4(seconds=400)),
    "a long Ogg": (
        "file-long",
        lambda: ogg() + ogg_page(4, 48_000 * 400, 3, [b"\xf8\xff\xfe"]),
    ),
    "a locked PDF": ("file-locked", lambda: LOCKED_PDF),
    **{f"a PDF with {what}": ("file-active", partial(bytes, d)) for what, d in ACTIVE_PDFS.items()},
}  # fmt: skip
"""What it is, why it is refused, and how to make it."""
