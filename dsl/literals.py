"""The values of number and string literals (docs/language.md, 2)."""

from __future__ import annotations

import json
import re
import textwrap
from decimal import Decimal
from math import isfinite
from typing import Final

UNITS: Final = {
    "%": Decimal("0.01"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "kB": Decimal(10**3),
    "MB": Decimal(10**6),
    "GB": Decimal(10**9),
    "TB": Decimal(10**12),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_EXACT: Final = Decimal(10**18)
_MOST_DIGITS: Final = 400
_DIGITS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_GOOD_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def number(text: str) -> tuple[int | float, str]:
    """The value of a literal with its unit applied, and the unit; whole values with a unit other than `%` are exact."""
    digits, unit = _parts(text)
    if not unit:
        return (int(digits) if digits.isdigit() else float(digits)), unit
    value = Decimal(digits) * UNITS[unit]
    exact = unit != "%" and value < _EXACT and value == value.to_integral_value()
    return (int(value) if exact else float(value)), unit


def too_large(text: str) -> bool:
    """Whether a literal has a value, or a length, beyond what a float can hold."""
    digits, unit = _parts(text)
    return len(digits) > _MOST_DIGITS or not isfinite(float(digits) * float(UNITS.get(unit, 1)))


def _parts(text: str) -> tuple[str, str]:
    """The digits, with their exponent, and the unit."""
    match = _DIGITS.match(text)
    end = match.end() if match else 0
    return text[:end], text[end:]


def string(text: str) -> str:
    '''The value of `"…"` (JSON escapes) or `"""…"""` (common indent and the quotes' own lines removed).'''
    if text.startswith('"""'):
        return _block(text[3:-3].replace("\r\n", "\n"))
    if "\\" not in text:
        return text[1:-1]
    return str(json.loads(text, strict=False))


def _block(body: str) -> str:
    head, newline, rest = body.partition("\n")
    if not newline:
        return head
    lines = textwrap.dedent(rest).split("\n")
    last = [] if not lines[-1].strip() else lines[-1:]
    return "\n".join([*([head] if head.strip() else []), *lines[:-1], *last])


def bad_escape(text: str) -> tuple[int, int] | None:
    """Where in the literal the first backslash stands that JSON gives no meaning, as a half-open range; or None."""
    if text.startswith('"""') or "\\" not in text:
        return None
    place = 0
    while (place := text.find("\\", place)) >= 0:
        good = _PAIR.match(text, place) or _GOOD_ESCAPE.match(text, place)
        if good is None:
            return place, min(place + 2, len(text))
        if _SURROGATE.match(good.group()) and not _PAIR.match(good.group()):
            return good.span()
        place = good.end()
    return None
