"""Which codes are one language: BCP 47 by the `langcodes` library, and a few slips that are no codes at all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from compiler.catalog import LANGUAGE_SLIPS

if TYPE_CHECKING:
    from langcodes import Language


def standard(code: str) -> str:
    """The code that BCP 47 prefers: `ur` for `urd`, `he` for `iw`, `zh` for `cmn`; what is no code stays as it is."""
    language = _language(code)
    return code if language is None else language.to_tag()


@cache
def same_language(code: str, other: str) -> bool:
    """Whether the two stand for one language, likely script and region filled in: `zh-CN` and `zh`, not `zh-TW`."""
    one, two = _language(code), _language(other)
    if one is None or two is None:
        return code.lower() == other.lower()
    return one.maximize().to_tag() == two.maximize().to_tag()


@cache
def _language(code: str) -> Language | None:
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(LANGUAGE_SLIPS.get(code, code)).prefer_macrolanguage()
    except LanguageTagError:
        return None
