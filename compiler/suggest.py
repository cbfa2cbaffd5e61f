"""Did you mean …: for names that people spell freely, never for codes of languages."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from compiler.tags import same_language, standard

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 12


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name nearest in spelling, if at most about a third of `word` differs."""
    return _closest(word, tuple(known))


@lru_cache(maxsize=1024)
def _closest(word: str, known: tuple[str, ...]) -> str | None:
    best = max(known, key=lambda k: SequenceMatcher(None, word, k).ratio(), default=None)
    if best is None or SequenceMatcher(None, word.lower(), best.lower()).ratio() < 2 / 3:
        return None
    return best


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the closest name, else what there is."""
    names = sorted(set(known))
    if (best := closest(word, names)) is not None:
        return f"did you mean `{best}`?"
    return "there is " + listing(names) if names else "there is none to choose from"


def listing(names: Iterable[str]) -> str:
    """`a`, `b` and 3 more."""
    all_names = list(names)
    shown = ", ".join(f"`{n}`" for n in all_names[:_SHOWN])
    return shown if len(all_names) <= _SHOWN else f"{shown} and {len(all_names) - _SHOWN} more"


def other_code(code: str, available: Iterable[str]) -> str | None:
    """What the data call the language of `code`, if they have it under another code."""
    return next((c for c in available if same_language(code, c)), None)


def language_hint(code: str, available: Iterable[str]) -> str:
    """The same language under another code, else what the data have. Never the nearest spelling."""
    codes = list(available)
    if (same := other_code(code, codes)) is not None:
        bcp47 = same == standard(code)
        return f"`{code}` is `{same}` in BCP 47" if bcp47 else f"these data call it `{same}`"
    minus = [c for c in codes if code.startswith(f"{c}-") and code[len(c) + 1 :] in codes]
    if minus:
        return f"did you mean `{minus[0]} - {code[len(minus[0]) + 1 :]}`? A difference needs spaces"
    if (short := code.split("-", maxsplit=1)[0]) in codes:
        return f"it has `{short}`"
    return "it has " + listing(codes)
