"""Pictures: read within limits, turned upright, shrunk, and painted anew without anything else.

What comes out is always a plain JPEG. Where it was taken, with what and when, colour profiles,
further frames and whatever hung on the file's end stay behind: only pixels are carried over.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import (
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401  # all that may be needed, as nothing can be opened later
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from bot.files.unfit import Unfit, broken

FORMATS = ("JPEG", "PNG", "WEBP")
PIXELS = 64_000_000
"""More than any telephone takes by itself; decoded, it still fits where it is worked on."""
SIDE = 2560
"""Pixels of the longer side: enough to read a letter by."""
_DEEP = ("I", "I;16", "I;16B", "I;16L", "F")
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How the camera was held, and what turns its picture upright."""

Image.MAX_IMAGE_PIXELS = None  # the limit is ours, below, before anything is decoded
ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.preinit()


def clean(data: bytes) -> bytes:
    """The picture as a plain JPEG. Raises Unfit."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXELS:
                raise Unfit("file-pixels")
            return _painted(picture)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise broken() from error


def _painted(picture: Image.Image) -> bytes:
    turn = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1))
    if picture.mode in _DEEP:
        picture = _shallow(picture)
    elif picture.mode not in ("L", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((SIDE, SIDE))  # a JPEG is decoded no larger than this needs
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    paper = Image.new("RGB", small.size, "white")
    paper.paste(small, mask=small if small.mode == "RGBA" else None)
    if turn is not None:
        paper = paper.transpose(turn)
    out = BytesIO()
    paper.save(out, "JPEG", quality=86)
    return out.getvalue()


def _shallow(picture: Image.Image) -> Image.Image:
    """Sixteen bits of grey as eight; left to itself, everything would come out white."""
    return picture.convert("I").point([v >> 8 for v in range(1 << 16)], "L")
