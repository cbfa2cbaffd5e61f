"""Syntax errors are reported where, and as, the marks in `tests/cases/syntax/errors` say."""

import re
from pathlib import Path

import pytest

from dsl.parse import LONGEST, parse
from dsl.source import Source

CASES = Path(__file__).parents[1] / "cases" / "syntax" / "errors"
MARK = re.compile(r'#! (\d+) \[(X\d{4})\] "(.*?)"(?=\s*(?:#!|$))')


def _chunks():
    """Name, text without marks, and marks as (line, column, code, piece of the message)."""
    for path in sorted(CASES.glob("*.xfer")):
        for number, chunk in enumerate(path.read_text(encoding="utf-8").split("\n---\n"), 1):
            lines = chunk.split("\n")
            marks = [
                (at, int(column), code, piece)
                for at, line in enumerate(lines, 1)
                for column, code, piece in MARK.findall(line)
            ]
            yield pytest.param(
                "\n".join(line.split("#!")[0].rstrip() for line in lines), marks, id=f"{path.stem}-{number}"
            )


CHUNKS = list(_chunks())


def parsed(text):
    return parse(Source("case.xfer", text))[1]


@pytest.mark.parametrize(("text", "marks"), CHUNKS)
def test_reported_where_the_case_says(text, marks):
    """Every mark is matched by one diagnostic and every diagnostic by one mark."""
    found = parsed(text)

    assert [mark[:3] for mark in marks] == [(d.primary.span.line, d.primary.span.column, d.code) for d in found]
    for (_, _, _, piece), diagnostic in zip(marks, found, strict=True):
        assert piece in diagnostic.message


@pytest.mark.parametrize(("text", "marks"), CHUNKS)
def test_messages_keep_to_the_rules(text, marks):
    """Lowercase, no full stop, on one line, no terminal of the grammar; the hint does not repeat the message."""
    del marks
    for diagnostic in parsed(text):
        plain = re.sub(r"`[^`]*`+|U\+[0-9A-F]{4}( [A-Z][A-Z0-9 -]*)?", "", diagnostic.message).replace("UTF-8", "")

        assert plain == plain.lower()
        assert "\n" not in diagnostic.message
        assert not diagnostic.message.endswith(".")
        assert diagnostic.hint != diagnostic.message


def test_an_unclosed_bracket_shows_where_it_was_missed():
    (diagnostic,) = parsed('task t { data: hf("a" }')

    assert "(" == diagnostic.primary.span.text
    assert ["}"] == [label.span.text for label in diagnostic.related]


def test_a_mismatched_pair_shows_both():
    (diagnostic,) = parsed("group g = [a, b)")

    assert ")" == diagnostic.primary.span.text
    assert ["["] == [label.span.text for label in diagnostic.related]


@pytest.mark.parametrize(
    "brackets", ["[" * 5000, "{" * 5000 + "}" * 5000, "(" * 5000, "{a: " * 5000 + "1" + "}" * 5000]
)
def test_deep_nesting_is_one_diagnostic(brackets):
    assert ["X0106"] == [d.code for d in parsed(f"defaults {{ a: {brackets}")]


def test_control_characters_are_told_of_once():
    (diagnostic,) = parsed("xlmr\0 -> \x07copa\0\n\x1f y -> z\x7f")

    assert ("X0122", 5) == (diagnostic.code, diagnostic.primary.span.column)


def test_a_file_that_is_too_long_is_not_parsed():
    spec, (diagnostic,) = parse(Source("long.xfer", "{" * (LONGEST + 1)))

    assert spec is None
    assert ("X0110", 1) == (diagnostic.code, diagnostic.primary.span.line)
    assert "500,001" in diagnostic.message
    assert "500,000" in diagnostic.message


def test_windows_line_ends_move_no_column():
    (diagnostic,) = parsed("# one\r\nlet x = {a}\r\nx -> y\r\n")

    assert (2, 9) == (diagnostic.primary.span.line, diagnostic.primary.span.column)


def test_what_can_be_read_is_returned_beside_the_errors():
    spec, diagnostics = parse(Source("case.xfer", "let a = b\nlet = c\nlet d = e -> f\nlet g = { h | i }\n"))

    assert ["X0101", "X0101"] == [d.code for d in diagnostics]
    assert spec is not None
    assert ["let a = b", "let g = { h | i }"] == [statement.span.text for statement in spec.statements]


@pytest.mark.parametrize("number", ["9" * 5000, "0" * 5000, "1e999", "9e307k", "1e99999999999999999999999"])
def test_a_number_that_cannot_be_held_is_told_of(number):
    assert ["X0113"] == [d.code for d in parsed(f"defaults {{ a: {number} }}")]


@pytest.mark.parametrize("number", ["1e-99999999999999999999999", "1e-999999999k", "0.0000001%"])
def test_a_number_may_be_as_small_as_it_likes(number):
    assert () == parsed(f"defaults {{ a: {number} }}")


def test_nothing_readable_is_no_spec():
    assert parse(Source("case.xfer", "= = ="))[0] is None


def test_a_hostile_file_gets_at_most_a_hundred_diagnostics():
    assert len(parsed("x -> é\n" * 1000)) <= 100
