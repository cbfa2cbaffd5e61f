"""What is wrong with a spec is reported where, and as, the marks in `tests/cases/compiler` say."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.diagnostics import has_errors
from tests.compiling import compiled
from tests.marks import check_marks, check_wording, chunks

CHUNKS = list(chunks(Path(__file__).parents[1] / "cases" / "compiler"))


@pytest.mark.parametrize(("text", "marks"), CHUNKS)
def test_reported_where_the_case_says(text, marks, folder):
    found = compiled(text, folder).diagnostics

    # what no chain reaches is told of in its own case
    unused = any(mark[2] == "X0207" for mark in marks)
    check_marks(marks, [d for d in found if unused or d.code != "X0207"])
    for diagnostic in found:
        check_wording(diagnostic)


TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\w.%-]+|->|\S|\s+')
TEXTS = [TOKENS.findall(chunk.values[0]) for chunk in CHUNKS]


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_spec_has_a_plan_or_an_error(folder, text, other, data):
    """A token that is lost, or replaced by one of another spec, is never a crash."""
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from(["", *other]))
    result = compiled("".join((*text[:at], new, *text[at + 1 :])), folder)

    assert (result.plan is None) == has_errors(result.diagnostics)
