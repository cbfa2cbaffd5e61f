"""What is wrong with a spec is reported where, and as, the marks in `tests/cases/compiler` say."""

from pathlib import Path

import pytest

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
