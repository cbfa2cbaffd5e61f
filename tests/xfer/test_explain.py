"""`xfer explain`: the page of a diagnostic at the terminal, and the list of all."""

import io

import pytest
from rich.console import Console

import compiler.codes
import dsl.codes
from tests.test_docs import PAGES
from xfer import exits, pages
from xfer.cli import call
from xfer.render.pages import show_page

ALL = {**dsl.codes.TITLES, **compiler.codes.TITLES}


@pytest.mark.parametrize("code", sorted(ALL))
def test_every_code_has_its_page_as_it_is_written(capsys, code):
    assert exits.OK == call(["explain", code])
    assert (PAGES / f"{code}.md").read_text(encoding="utf-8") == capsys.readouterr().out


def test_a_code_may_be_written_small(capsys):
    assert exits.OK == call(["explain", "x0301"])
    assert capsys.readouterr().out.startswith("# X0301: unknown key\n")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("X0399", "the nearest are `X0334`, `X0335`, `X0401`"),
        ("301", "the nearest are `X0301`"),
        ("X99999999999999999999", "`X0501`"),
        ("typo", "a code looks like `X0101`"),
        ("X²", "a code looks like `X0101`"),
        ("../../README", "a code looks like `X0101`"),
    ],
)
def test_a_code_that_is_none_is_wrong_usage_with_the_nearest(capsys, code, says):
    assert exits.USAGE == call(["explain", code])
    text = capsys.readouterr().err
    assert f"there is no diagnostic `{code}`" in text
    assert says in text and "`xfer explain` alone lists all" in text


def test_without_a_code_all_stand_there_with_their_titles(capsys):
    assert exits.OK == call(["explain"])
    lines = capsys.readouterr().out.splitlines()
    assert sorted(ALL.items()) == [tuple(line.split(None, 1)) for line in map(str.rstrip, lines[1:-1])]


def test_a_terminal_shows_no_marks_of_markdown():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    show_page(console, pages.page("X0301"))
    drawn = console.file.getvalue()

    assert "X0301: unknown key" in drawn and "Why it matters" in drawn and "xcopa[*](epochs: 3)" in drawn
    assert not any(mark in drawn for mark in ("# X0301", "## ", "```", "`max-length`"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("xlmr-base -> copa(x: 1, y: 2) @ xcopa[*]", "`xfer explain X0301` says more"),
        ("xlmr-base -> copa(x: 1) @ xcopo[*]", "`xfer explain CODE` says more"),
    ],
)
def test_check_points_to_the_pages_once(tmp_path, monkeypatch, capsys, text, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.xfer").write_text(text)

    assert exits.USAGE == call(["check", "spec.xfer"])
    assert [says] == [line for line in capsys.readouterr().err.splitlines() if "xfer explain" in line]


def test_check_points_nowhere_when_all_is_well(tmp_path, capsys):
    (tmp_path / "spec.xfer").write_text("xlmr-base -> copa @ xcopa[*]")

    assert exits.OK == call(["check", str(tmp_path / "spec.xfer")])
    assert "explain" not in capsys.readouterr().err
