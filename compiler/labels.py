"""Labels from a file, one a line: signatures of heads must be known before any data are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from compiler import codes
from compiler.nearby import lying_near
from compiler.ops import AbsentRows
from compiler.places import PlaceError, Places
from dsl.syntax import Argument, Call, String

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Value

MOST_BYTES = 1_000_000  # of a file of labels; more is a file of something else


def read_labels(value: Value, places: Places, bag: Bag) -> tuple[str, ...]:
    """The labels in the file that `labels: files("tags.txt")` names, in its order; () after a finding."""
    match value:
        case Call(arguments=(Argument(name=None, value=String(value=name)),)):
            return _labels(name, value.span, places, bag)
    hint = '`labels: files("tags.txt")`, one label a line'
    bag.error(codes.WRONG_VALUE, value.span, "`labels` takes one file by its name in quotes", hint)
    return ()


def absent_labels(value: Value, places: Places) -> AbsentRows | None:
    """The file of labels, if it lies in a root that nobody named."""
    match value:
        case Call(arguments=(Argument(name=None, value=String(value=name)),)):
            try:
                places.of(value.span.source.name).path(name)
            except PlaceError as error:
                return AbsentRows(error.root, name, are_labels=True) if error.root is not None else None
    return None


def _labels(name: str, span: Span, places: Places, bag: Bag) -> tuple[str, ...]:
    text = _text(name, span, places, bag)
    if text is None:
        return ()
    lines = [line.strip() for line in text.split("\n")]
    labels = [line for line in lines if line]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        bag.error(codes.LABEL_TWICE, span, f"the label `{twice[0]}` stands twice in `{name}`", "each is one line")
    elif not labels:
        bag.error(codes.WRONG_VALUE, span, f"`{name}` holds no label", "one label a line")
    return () if twice else tuple(labels)


def _text(name: str, span: Span, places: Places, bag: Bag) -> str | None:
    """What the file holds; None after a finding."""
    if "{{" in name:
        message = "labels are the same in every split and language: their file has no `{{ … }}` in its name"
        bag.error(codes.BAD_TEMPLATE, span, message)
        return None
    try:
        path = places.of(span.source.name).path(name)
        if not os.path.isfile(path):  # noqa: PTH113  (raises for no name, however strange)
            bag.error(codes.NO_FILE, span, f"there is no file `{name}`", lying_near(path))
            return None
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            bag.error(codes.WRONG_VALUE, span, f"`{name}` is over {MOST_BYTES:,} bytes: no list of labels")
            return None
        return content.decode("utf-8-sig")
    except PlaceError as error:
        bag.error(codes.OUTSIDE if error.outside else codes.NO_FILE, span, str(error), error.hint)
    except OSError as error:
        bag.error(codes.NO_FILE, span, f"`{name}` cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        bag.error(codes.WRONG_VALUE, span, f"`{name}` is not UTF-8: {error.reason} at byte {error.start + 1}")
    return None
