"""`xfer list` at the terminal: tables for people, documents for programs."""

import json
import re

import pytest

from compiler.pipeline import LIBRARY, library
from dsl.syntax import Declaration
from tests.compiler.test_showing import place
from tests.test_docs import ROOT
from xfer import exits
from xfer.cli import call
from xfer.lookup import WHAT

SPEC = """\
use "more.xfer"
model mine { weights: embedded("babel-mini")  licence: "MIT" }
task copa : w-causes { languages: [qaa, qab] }
mine -> copa -> other @ w-xcauses[*]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.xfer").write_text(SPEC)
    (tmp_path / "more.xfer").write_text('task other : w-causes { languages: [qaa, "x-new"] }\n')
    return tmp_path


def document(capsys, *arguments):
    assert exits.OK == call(["list", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("what", WHAT)
def test_a_document_has_a_version_and_the_keys_that_the_page_names(capsys, what):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").partition("## `list --json`")[2]
    (cell,) = re.findall(rf"^\| .*`{what}`.* \| (.*) \|$", page.partition("\n## ")[0], re.MULTILINE)
    found = document(capsys, what)

    assert ["format_version", what] == list(found)
    assert "1.0" == found["format_version"]
    assert "`format_version` (1.0)" in page
    assert {tuple(re.findall(r"`(\w+)`", cell))} == {tuple(row) for row in found[what]}


@pytest.mark.parametrize("what", WHAT)
def test_a_table_has_a_line_for_each_row_of_the_document(capsys, what):
    names = [next(iter(row.values())) for row in document(capsys, what)[what]]

    assert exits.OK == call(["list", what])
    lines = capsys.readouterr().out.splitlines()
    assert names == [line.split()[0] for line in lines[1:] if not line.startswith("std/ is")]


def test_the_library_alone_is_listed_without_a_spec(capsys):
    declared = {name for name, found in library().items() if isinstance(found, Declaration) and found.word == "model"}
    assert sorted(declared) == [row["name"] for row in document(capsys, "models")["models"]]
    assert {"xlmr-large", "mbert", "babel-mini"} < declared
    assert {"library"} == {row["origin"] for row in document(capsys, "tasks")["tasks"]}


def test_a_spec_adds_its_own_and_what_it_uses(here, capsys):
    found = {row["name"]: row for row in document(capsys, "tasks", "spec.xfer")["tasks"]}

    assert ("spec", "spec.xfer:3", [place("copa")], ["qaa", "qab"]) == tuple(
        found["copa"][key] for key in ("origin", "declared", "hides", "languages")
    )
    assert ("used", "more.xfer:1", "w-causes") == tuple(found["other"][k] for k in ("origin", "declared", "parent"))
    assert "library" == found["siqa"]["origin"]
    by_code = {row["code"]: row["tasks"] for row in document(capsys, "languages", "spec.xfer")["languages"]}
    assert ["other"] == by_code["x-new"]


def test_a_table_tells_places_licences_and_what_is_hidden(here, capsys):
    assert exits.OK == call(["list", "models", "spec.xfer"])
    assert re.search(r'^mine +embedded\("babel-mini"\) +MIT +spec\.xfer:2 *$', capsys.readouterr().out, re.MULTILINE)

    assert exits.OK == call(["list", "tasks", "spec.xfer"])
    out = capsys.readouterr().out
    assert re.search(
        rf"^copa +multiple-choice, of w-causes +2 +spec\.xfer:3, hides {re.escape(place('copa'))} *$", out, re.MULTILINE
    )
    assert f"std/ is the library, {LIBRARY}" in out


def test_a_table_of_settings_tells_of_what_they_are_and_what_is_not_yet(capsys):
    assert exits.OK == call(["list", "settings"])
    out = capsys.readouterr().out

    assert re.search(r"^lr +peak learning rate +run +1e-5 +a number above 0 to below 1 *$", out, re.MULTILINE)
    assert re.search(
        r"^tune +which weights learn +run +full +`full` or `head`; not yet bitfit, lora *$", out, re.MULTILINE
    )
    assert re.search(r"^steps .* \(instead of `epochs`\)", out, re.MULTILINE)
    assert re.search(r"^stride .* target of span-qa +128 ", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list"], "Missing argument"),
        (["list", "model"], "'model' is not one of 'models', 'tasks', 'benchmarks', 'languages', 'settings'"),
        (["list", "tasks", "spek.xfer"], "did you mean `spec.xfer`?"),
    ],
)
def test_wrong_usage_is_told(here, capsys, arguments, says):
    assert exits.USAGE == call(arguments)
    captured = capsys.readouterr()
    assert "" == captured.out and says in captured.err
