"""Which codes are one language: BCP 47 by the `langcodes` library, and a few slips that are no codes at all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from compiler.catalog import LANGUAGE_SLIPS

if TYPE_CHECKING:
    from langcodes import Language

_TWO, _THREE = 2, 3
_WITHDRAWN = ("in", "iw", "ji", "jw", "mo", "sh")  # codes of two letters that BCP 47 has replaced
_ALIASES = {"tl": "fil", "nb": "no"}  # codes of two letters beside another of the same language


def standard(code: str) -> str:
    """The code that BCP 47 prefers: `ur` for `urd`, `he` for `iw`, `zh` for `cmn`; what is no code stays as it is."""
    language = _language(code)
    return code if language is None else language.to_tag()


@cache
def plain(code: str) -> str:
    """One code for each language as it is likely written: `zh` for `cmn`, `zh-CN` and `zh-Hans`, not for `zh-Hant`."""
    if code in _ALIASES or _is_plain(code):
        return _ALIASES.get(code, code)
    language = _language(code)
    if language is None:
        return code.lower()
    base = language.language or code
    return base if same_language(code, base) else language.maximize().to_tag()


@cache
def written_otherwise(code: str) -> str | None:
    """How BCP 47 writes a code that it writes otherwise, `sw` for `swa`; "" of what is no code; None of one that is."""
    if _is_plain(code) and code not in (*_WITHDRAWN, *LANGUAGE_SLIPS):
        return None
    language = _parsed(code)
    tag = language.to_tag() if language is not None else ""
    return tag if tag != code else None


def _is_plain(code: str) -> bool:
    """Whether a code needs no looking up: two letters, a private one (`qaa` to `qtz`), or one of somebody's own."""
    if not (code.isascii() and code.isalpha() and code.islower()):
        return code.startswith("x-")
    return len(code) == _TWO or (len(code) == _THREE and "qaa" <= code <= "qtz")


@cache
def same_language(code: str, other: str) -> bool:
    """Whether the two stand for one language, likely script and region filled in: `zh-CN` and `zh`, not `zh-TW`."""
    one, two = _language(code), _language(other)
    if one is None or two is None:
        return code.lower() == other.lower()
    return one.maximize().to_tag() == two.maximize().to_tag()


@cache
def _language(code: str) -> Language | None:
    """What a code stands for, as the larger language where it is the usual one of several: `zh` for `cmn`."""
    language = _parsed(code)
    return language.prefer_macrolanguage() if language is not None else None


def _parsed(code: str) -> Language | None:
    """A code, or what a country's that is taken for one means; None of what is no code."""
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(LANGUAGE_SLIPS.get(code, code))
    except LanguageTagError:
        return None
