"""Labels as data write them."""

from __future__ import annotations

from runtime.errors import BadInput

_SHOWN = 20  # labels of a message


def is_unlabelled(value: object, labels: tuple[str, ...]) -> bool:
    """Whether a value says that the label is not known: a null, or -1 where no label is called so."""
    return value is None or (str(value).strip() == "-1" and "-1" not in labels)


def number(value: object, end: int) -> int | None:
    """The whole number from 0 to below `end` that a value is or writes out; None if it is no such."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or len(text) > len(str(end)):
        return None
    return int(text) if int(text) < end else None


def index_of(value: object, labels: tuple[str, ...], what: str, field: str, also: str = "") -> int | None:
    """The label's index: by its name, else as a number that is no name; None where there is no label.

    Raises BadInput, with the field, for anything else: `what` is called so, and its labels and `also` are its hint.
    """
    text = str(value).strip()
    if text in labels:
        return labels.index(text)
    if isinstance(value, bool) and (named := [n for n, label in enumerate(labels) if label.lower() == text.lower()]):
        return named[0]
    if is_unlabelled(value, labels):
        return None
    if (index := number(value, len(labels))) is None:
        shown = ", ".join(labels[:_SHOWN]) + (" …" if len(labels) > _SHOWN else "")
        boolean = "; as a number it is `| int`" if isinstance(value, bool) else ""
        raise BadInput(f"{what} is {value!r:.40}", f"the labels are {shown}{also}{boolean}", f"input.{field}")
    return index
