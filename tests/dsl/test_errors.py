"""Syntax errors are reported where, and as, the marks in `tests/cases/syntax/errors` say."""

from pathlib import Path

import pytest

from dsl.parse import LONGEST, parse
from dsl.source import Source
from tests.marks import check_marks, check_wording, chunks

CASES = Path(__file__).parents[1] / "cases" / "syntax" / "errors"
CHUNKS = list(chunks(CASES))


def parsed(text):
    return parse(Source("case.xfer", text))[1]


@pytest.mark.parametrize(("text", "marks"), CHUNKS)
def test_reported_where_the_case_says(text, marks):
    check_marks(marks, parsed(text))


@pytest.mark.parametrize(("text", "marks"), CHUNKS)
def test_messages_keep_to_the_rules(text, marks):
    del marks
    for diagnostic in parsed(text):
        check_wording(diagnostic)


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
