"""The embedded world as the compiler needs it: tables that a test holds equal to `runtime.world`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from compiler.catalog import Interval

WORLD_VERSION = 5
WORLD_LANGUAGES = ("qaa", "qab", "qac", "qad", "qae", "qaf", "qag", "qah", "qai", "qaj", "qak", "qal")
_WORLD_QUESTIONS = {"train": ("qaa",), "dev": WORLD_LANGUAGES, "test": WORLD_LANGUAGES}
WORLD_TASKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "text": {"train": WORLD_LANGUAGES, "dev": WORLD_LANGUAGES},
    "stories": _WORLD_QUESTIONS,
    "entail": _WORLD_QUESTIONS,
    "words": _WORLD_QUESTIONS,
    "spans": _WORLD_QUESTIONS,
    "tags": _WORLD_QUESTIONS,
    "similar": _WORLD_QUESTIONS,
    "causes": {"train": WORLD_LANGUAGES, "dev": WORLD_LANGUAGES, "test": WORLD_LANGUAGES},
    "mining": {"dev": WORLD_LANGUAGES[1:], "test": WORLD_LANGUAGES[1:]},
    "pool": {"dev": WORLD_LANGUAGES[1:], "test": WORLD_LANGUAGES[1:]},
}


# Rows of each split, and tokens of a row's text for the tokenizer of `babel-mini`, for estimates.
WORLD_SIZES: Mapping[str, tuple[Mapping[str, int], float]] = {
    "text": ({"train": 10_000, "dev": 200}, 18),
    "stories": ({"train": 2_000, "dev": 200, "test": 500}, 15),
    "entail": ({"train": 3_000, "dev": 300, "test": 600}, 20),
    "words": ({"train": 1_500, "dev": 200, "test": 500}, 11),
    "causes": ({"train": 400, "dev": 100, "test": 500}, 12),
    "spans": ({"train": 8_000, "dev": 200, "test": 500}, 40),
    "tags": ({"train": 1_000, "dev": 200, "test": 500}, 19),
    "similar": ({"train": 2_000, "dev": 200, "test": 500}, 11),
    "mining": ({"dev": 100, "test": 300}, 18),
    "pool": ({"dev": 1, "test": 1}, 5_700),
}
WORLD_LOW_RESOURCE = ("qad", "qai")
WORLD_DISTANCES: Mapping[str, float] = {  # of each language from qaa, the source
    "qaa": 0.0, "qab": 0.025, "qac": 0.3125, "qad": 0.1875, "qae": 0.4625, "qaf": 0.25, "qag": 0.5, "qah": 0.525,
    "qai": 0.8, "qaj": 0.8125, "qak": 0.9625, "qal": 0.7,
}  # fmt: skip


class WorldParameter(Struct, frozen=True):
    """What a key of `world(…)` takes."""

    default: int | float
    values: Interval
    tasks: tuple[str, ...] = tuple(WORLD_TASKS)  # that have it
    is_share: bool = False  # shown in per cent


WORLD_PARAMETERS: Mapping[str, WorldParameter] = {
    "seed": WorldParameter(1, Interval(0, float("inf"))),
    "cognates": WorldParameter(1.0, Interval(0, 4)),
    "mixed": WorldParameter(0.8, Interval(0, 1), ("text",), is_share=True),
    "low-resource": WorldParameter(0.25, Interval(0, 1, open_low=True), ("text",), is_share=True),
}
