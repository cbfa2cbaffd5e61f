"""Cases with marks: `#! COLUMN [CODE] "piece of the message" "piece of the hint"` on the line of a finding."""

import re

import pytest

MARK = re.compile(r'#! (\d+) \[(X\d{4})\] "(.*?)"(?: "(.*?)")?(?=\s*(?:#!|$))')


def chunks(folder):
    """Text without marks, and marks as (line, column, code, piece of the message, piece of the hint), of every case."""
    for path in sorted(folder.glob("*.xfer")):
        for number, chunk in enumerate(path.read_text(encoding="utf-8").split("\n---\n"), 1):
            lines = chunk.split("\n")
            marks = [
                (at, int(column), code, piece, hint)
                for at, line in enumerate(lines, 1)
                for column, code, piece, hint in MARK.findall(line)
            ]
            text = "\n".join(line.split("#!")[0].rstrip() for line in lines)
            yield pytest.param(text, marks, id=f"{path.stem}-{number}")


def check_marks(marks, found):
    """Every mark is matched by one diagnostic and every diagnostic by one mark."""
    assert [mark[:3] for mark in marks] == [(d.primary.span.line, d.primary.span.column, d.code) for d in found]
    for (_, _, _, piece, hint), diagnostic in zip(marks, found, strict=True):
        assert piece in diagnostic.message
        assert hint in (diagnostic.hint or "")


def check_wording(diagnostic):
    """Lowercase, no full stop, on one line; the hint does not repeat the message."""
    plain = re.sub(r"`[^`]*`+|U\+[0-9A-F]{4}( [A-Z][A-Z0-9 -]*)?", "", diagnostic.message).replace("UTF-8", "")

    assert plain == plain.lower()
    assert "\n" not in diagnostic.message
    assert not diagnostic.message.endswith(".")
    assert diagnostic.hint != diagnostic.message
