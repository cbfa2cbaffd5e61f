"""Parts of a training, in the one order that their heads are numbered by."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from compiler.keys import canonical
from compiler.ops import Part


class Ordered(Struct, frozen=True):
    """Parts in canonical order, each once; `head_of` is the index in `parts` of each part as written."""

    parts: tuple[Part, ...]
    weights: tuple[float, ...]
    head_of: tuple[int, ...]


def ordered(written: Sequence[Part], weights: Sequence[float]) -> Ordered:
    """The parts so that `a + b` and `b + a` are one; equal parts count once, with what they weigh together."""
    parts = sorted(set(written), key=canonical)
    at = {part: index for index, part in enumerate(parts)}
    heavy = [0.0] * len(parts)
    for part, weight in zip(written, weights, strict=True):
        heavy[at[part]] += weight
    return Ordered(tuple(parts), tuple(heavy), tuple(at[part] for part in written))
