"""Labels as data write them."""

from __future__ import annotations


def is_unlabelled(value: object, labels: tuple[str, ...]) -> bool:
    """Whether a value says that the label is not known: a null, or -1 where no label is called so."""
    return value is None or (str(value).strip() == "-1" and "-1" not in labels)


def number(value: object, end: int) -> int | None:
    """The whole number from 0 to below `end` that a value is or writes out; None if it is no such."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or len(text) > len(str(end)):
        return None
    return int(text) if int(text) < end else None
