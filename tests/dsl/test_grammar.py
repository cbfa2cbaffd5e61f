"""The grammar is strict, its terminals have words, and its codes have pages and cases."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lark import Lark

from dsl import codes, tables
from dsl.build import Build
from dsl.parse import parse
from dsl.reader import tools
from dsl.source import Source
from dsl.tables import GRAMMAR
from dsl.words import KEYWORDS, WORDS, expected

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "diagnostics").glob("X01*.md")}
CASES = [
    *(ROOT / "tests" / "cases" / "syntax" / "errors").glob("*.xfer"),
    Path(__file__).with_name("test_errors.py"),
]
STRICT = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="basic", strict=True, maybe_placeholders=False)
TERMINALS = {terminal.name for terminal in STRICT.terminals}


def test_the_kept_tables_are_those_of_the_grammar():
    if os.environ.get("XFER_ACCEPT") == "grammar":
        tables.KEPT.write_bytes(tables.made())

    assert tables.KEPT.read_bytes() == tables.made(), "XFER_ACCEPT=grammar keeps those of this grammar"


@pytest.mark.parametrize("other", ["version", "grammar"])
def test_tables_of_another_version_or_grammar_are_made_anew(monkeypatch, tmp_path, other):
    loaded = tables.parser(Build())
    if other == "version":
        monkeypatch.setattr("lark.__version__", "0")
    else:
        changed = tmp_path / "grammar.lark"
        changed.write_text(GRAMMAR.read_text(encoding="utf-8").replace('"claim"', '"assert"'), encoding="utf-8")
        monkeypatch.setattr(tables, "GRAMMAR", changed)

    fresh = tables.parser(Build())

    assert fresh.source_path != loaded.source_path == "<deserialized>"
    spelled = {t.name: t.pattern.value for t in fresh.terminals}
    assert ("assert" if other == "grammar" else "claim") == spelled["CLAIM"]
    assert [str(rule) for rule in loaded.rules] == [str(rule) for rule in fresh.rules]


def test_every_terminal_has_a_name():
    assert set() == {name for name in TERMINALS if name.startswith("__")}


def test_every_terminal_has_words_and_every_word_a_terminal():
    assert TERMINALS | {"$END"} == set(WORDS)


def test_the_keywords_are_those_of_the_language():
    section = (
        "use model task benchmark suite group let defaults report claim budget skip with best every some at expect"
    )

    assert set(section.split()) == {name.lower() for name in KEYWORDS} == set(tools()[0].keywords)


def test_every_rule_says_its_section():
    rules = [line for line in GRAMMAR.read_text(encoding="utf-8").split("\n") if re.match(r"[?_a-z]+:", line)]

    assert len(rules) > 50
    lines = GRAMMAR.read_text(encoding="utf-8")
    for rule in rules:
        body = lines[lines.index(rule) :].split("\n\n")[0]
        assert re.search(r"// \d", body), rule


def test_what_was_expected_is_said_in_few_words():
    assert "a task name, `{` or `skip`" == expected({"NAME", "LBRACE", "LPAR", "SKIP"})
    assert "a value" == expected(KEYWORDS | {"NAME", "NUMBER", "STRING", "MINUS", "LBRACE", "LSQB"})
    assert "`->` or `@`" == expected({"ARROW", "TARGET"})


def test_every_code_has_a_page_and_a_case():
    cases = "\n".join(path.read_text(encoding="utf-8") for path in CASES)

    assert set(codes.TITLES) == set(PAGES) == set(re.findall(r"X01\d\d", cases))
    assert set(codes.TITLES) == {value for value in vars(codes).values() if str(value).startswith("X0")}


@pytest.mark.parametrize("code", sorted(PAGES))
def test_a_page_bears_the_title_of_its_code(code):
    assert f"# {code}: {codes.TITLES[code]}" == PAGES[code].split("\n", 1)[0]


@pytest.mark.parametrize("code", sorted(set(PAGES) - {codes.TOO_LONG}))
def test_the_example_of_a_page_produces_its_code(code):
    (example,) = re.findall(r"```xfer\n(.*?)\n```", PAGES[code], re.DOTALL)

    assert {code} == {diagnostic.code for diagnostic in parse(Source(code, example))[1]}


def test_parsing_loads_no_ml_library():
    script = "import sys, dsl.parse; print({'torch', 'transformers', 'datasets', 'rich'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "set()" == result.stdout.strip()
