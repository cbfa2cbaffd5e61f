"""The documents tell the truth: every example compiles to exactly what it says, and every code has a page and a case.

A block ```` ```xfer ```` is compiled beside a few small files; `#! [X0302]` in it names each code that it gives. One
marked `xfer fragment` needs files or versions that are not here, and is only parsed.
"""

import re
from pathlib import Path

import pytest

import compiler.codes
import dsl.codes
from compiler.catalog import DECLARATION_KEYS, FORMATS, KINDS, SETTINGS
from compiler.keys import VERSION
from dsl.diagnostics import Severity
from dsl.parse import parse
from dsl.source import Source
from tests.compiling import MODEL_FILES, compiled

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "diagnostics"
CASES = ROOT / "tests" / "cases" / "compiler"
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("README.md")]
CODES = {value for name, value in vars(compiler.codes).items() if re.fullmatch(r"X\d{4}", str(value))}
FENCE = re.compile(r"^```xfer( fragment)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(fragments):
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if bool(match[1]) == fragments:
                line = text.count("\n", 0, match.start()) + 1
                yield pytest.param(path, match[2], id=f"{path.relative_to(ROOT)}:{line}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What examples may read: `models/mine`, a model; `models/old`, one with pickled weights; `data/`."""
    folder = tmp_path_factory.mktemp("docs")
    for name in (
        *(f"mine/{n}" for n in MODEL_FILES),
        *(f"old/{n}" for n in ("config.json", "tokenizer.json", "a.bin")),
    ):
        path = folder / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (folder / "data").mkdir()
    for split in ("train", "dev", "test"):
        (folder / "data" / f"{split}.jsonl").write_bytes(split.encode())
    return folder


@pytest.mark.parametrize(("path", "text"), list(blocks(fragments=False)))
def test_an_example_gives_exactly_the_codes_that_it_says(path, text, files):
    syntax = {path.stem} if path.stem.startswith("X01") else set()
    said = syntax | {
        code for line in text.splitlines() for code in re.findall(r"\[(X\d{4})\]", line.partition("#!")[2])
    }

    found = compiled(text, files).diagnostics
    quiet = path.name == "README.md"  # a first page: its warnings are seen when it is run
    assert said == {d.code for d in found if not quiet or d.severity is Severity.ERROR}


@pytest.mark.parametrize(("path", "text"), list(blocks(fragments=True)))
def test_a_fragment_can_be_read(path, text):
    assert () == parse(Source(path.name, text))[1]


def test_there_are_examples():
    assert len(list(blocks(fragments=False))) > 50


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_page_bears_the_title_of_its_code_and_an_example(code):
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")

    assert f"# {code}: {compiler.codes.TITLES[code]}" == page.split("\n", 1)[0]
    assert all(heading in page for heading in ("\n## Why it matters\n", "\n## How to mend it\n"))
    assert f"[{code}]" in page or code == compiler.codes.NOT_TEXT  # bytes that are no text cannot stand in a page


def test_every_code_has_a_title_a_page_and_a_case():
    cases = "\n".join(path.read_text(encoding="utf-8") for path in CASES.glob("*.xfer"))

    assert set(compiler.codes.TITLES) == CODES
    assert {path.stem for path in PAGES.glob("*.md")} == CODES | set(dsl.codes.TITLES)
    # X0501 is found where files are read: tests/xfer
    assert CODES - {compiler.codes.NOT_TEXT} == set(re.findall(r"#! \d+ \[(X\d{4})\]", cases))


def test_no_code_of_the_compiler_is_used_for_nothing():
    source = "\n".join(
        path.read_text(encoding="utf-8") for room in ("compiler", "xfer") for path in (ROOT / room).glob("*.py")
    )

    unused = {name for name in vars(compiler.codes) if name.isupper() and name != "TITLES"} - set(
        re.findall(r"\bcodes\.([A-Z_]+)", source)
    )
    assert set() == unused


def test_the_language_page_names_every_setting_kind_and_format():
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    names = {*SETTINGS, *KINDS, *FORMATS, *DECLARATION_KEYS["task"], *DECLARATION_KEYS["model"]}

    assert set() == {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)}


def test_the_language_page_has_the_sections_that_the_grammar_names():
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    grammar = (ROOT / "dsl" / "grammar.lark").read_text(encoding="utf-8")
    named = {number for line in re.findall(r"// (\d[\d, ]*)", grammar) for number in re.findall(r"\d+", line)}

    assert named <= set(re.findall(r"^## (\d+) ", page, re.MULTILINE))


def test_the_page_of_keys_names_every_op_and_every_reason():
    page = (ROOT / "docs" / "node-keys.md").read_text(encoding="utf-8")
    source = "\n".join(
        (ROOT / "runtime" / name).read_text(encoding="utf-8") for name in ("preview.py", "differences.py")
    )
    reasons = set(re.findall(r'"(new|upstream|unpinned|\w+_(?:changed|missing|damaged))"', source))

    assert reasons == set(re.findall(r"^\| `(\w+)` \|", page.partition("## Why a node runs")[2], re.MULTILINE))
    assert {op.__name__.lower() for op in VERSION} <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
