"""What is listed is so: every setting is taken where its row says, and nowhere else; rows say what declarations say."""

import re

import pytest

from compiler.bag import Bag
from compiler.catalog import KINDS, METHODS, SETTINGS
from compiler.listing import languages, models, settings, tasks
from compiler.pipeline import library, library_alone
from dsl.syntax import Declaration
from tests.compiler.test_showing import RICH, place, read
from tests.compiling import PRELUDE, compiled, found, write_files
from tests.test_docs import ROOT

ROWS = {row.key: row for row in settings()}
AVAILABLE = [row for row in settings() if row.available]
SORTS = {"int": "8", "float": "0.5", "share": "10%", "text": '"query: "', "limit": "7", "mix": "uniform"}
TASKS = """
task classes : classification { data: files("a/en/{{ split }}.jsonl")  labels: [yes, no]
  input: { text: "{{ a }}", label: "{{ b }}" } }
task spans : span-qa { data: files("a/en/{{ split }}.jsonl")
  input: { context: "{{ a }}", question: "{{ b }}", answers: "{{ c }}" } }
task tags : tagging { data: files("a/en/{{ split }}.jsonl")  labels: [O, X]
  input: { tokens: "{{ a }}", tags: "{{ b }}" } }
task values : regression { data: files("a/en/{{ split }}.jsonl")  input: { text: "{{ a }}", value: "{{ b }}" } }
benchmark pairs : retrieval { data: files("a/en/{{ split }}.jsonl")  input: { query: "{{ a }}", document: "{{ b }}" }
  metrics: [accuracy, f1] }
"""
OF_KINDS = {
    "classification": "classes",
    "multiple-choice": "a",
    "span-qa": "spans",
    "tagging": "tags",
    "regression": "values",
}
OF_KINDS |= {"masked-lm": "t", "retrieval": "pairs"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listing")
    write_files(folder)
    return folder


def example(row):
    rule = SETTINGS[row.key]
    return SORTS.get(rule.sort) or rule.words[0]


def chain(kind, node, setting):
    """A chain with a setting at a stage or a target of a kind."""
    task = OF_KINDS[kind]
    return (
        f"m -> {'a' if kind == 'retrieval' else task} @ {task}({setting})"
        if node == "target"
        else f"m -> {task}({setting})"
    )


CASES = [
    (row.key, node, kind)
    for row in AVAILABLE
    for node in ("stage", "target")
    for kind in OF_KINDS
    if node == "target" or KINDS[kind].trains
]


@pytest.mark.parametrize(("key", "node", "kind"), CASES)
def test_a_setting_is_taken_where_its_row_says_and_nowhere_else(folder, key, node, kind):
    row = ROWS[key]
    here = ("run", "part") if node == "stage" else ("target",)
    listed = bool(set(row.nodes) & set(here)) and (not row.kinds or kind in row.kinds)

    codes = {code for code, _ in found(PRELUDE + TASKS + chain(kind, node, f"{key}: {example(row)}"), folder)}

    assert listed == ("X0301" not in codes)
    assert not listed or not codes & {"X0302", "X0401", "X0206"}


@pytest.mark.parametrize("key", [row.key for row in settings() if row.not_yet])
def test_what_is_not_yet_is_told_so(folder, key):
    kind = ROWS[key].kinds[0] if ROWS[key].kinds else "multiple-choice"
    node = "target" if "target" in ROWS[key].nodes else "stage"
    for word in ROWS[key].not_yet:
        given = ", ".join(f"{name}: {rule.example}" for name, rule in METHODS[word].items() if rule.required)
        text = PRELUDE + TASKS + chain(kind, node, f"{key}: {word}({given})" if given else f"{key}: {word}")
        assert "X0401" in {code for code, _ in found(text, folder)}


@pytest.mark.parametrize("row", AVAILABLE, ids=lambda row: row.key)
def test_what_is_not_allowed_is_refused_in_the_words_of_the_row(folder, row):
    kind = row.kinds[-1] if row.kinds else "multiple-choice"
    node = "target" if "target" in row.nodes else "stage"
    wrong = compiled(PRELUDE + TASKS + chain(kind, node, f"{row.key}: {{ x: 1 }}"), folder).diagnostics
    (message,) = [d.message for d in wrong if d.code == "X0302"]

    said = SETTINGS[row.key].allowed() if row.not_yet else row.allowed
    assert f"must be {said}" in message


# --- the page of the language ----------------------------------------------------------------------------------------


def table_rows():
    """The rows of the tables of settings in the language's page: keys, meaning, built-in value."""
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    section = page.partition("## 6 Settings")[2].partition("## 7 ")[0]
    for named, meaning, built_in in re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) ?\|$", section, re.MULTILINE):
        if keys := [key for key in re.findall(r"`([\w-]+)`", named) if key in ROWS]:  # else a table of arguments
            yield keys, meaning.replace("`", ""), built_in


TABLE = list(table_rows())


def test_the_tables_of_the_page_have_the_keys_of_runs_span_qa_and_retrieval():
    of_runs = {row.key for row in settings() if "run" in row.nodes}
    of_retrieval = {row.key for row in settings() if row.kinds == ("retrieval",)}

    of_spans = {row.key for row in settings() if row.kinds == ("span-qa",)}

    assert of_runs | of_retrieval | of_spans == {key for keys, _, _ in TABLE for key in keys}


@pytest.mark.parametrize(("keys", "meaning", "built_in"), TABLE)
def test_the_page_and_the_catalogue_say_the_same(keys, meaning, built_in):
    assert [] == [(key, ROWS[key].meaning) for key in keys if ROWS[key].meaning not in meaning]
    listed = ", ".join(ROWS[key].built_in for key in keys if not ROWS[key].instead_of)
    assert listed == built_in.replace("3 epochs", "3")


# --- declarations ----------------------------------------------------------------------------------------------------


def test_every_declaration_of_the_library_is_listed_once_with_its_place():
    names, bag = library_alone(), Bag()
    rows = [(r.name, r.declared) for r in (*models(names, bag), *tasks(names, bag))]
    declared = [(n, str(d.name.span).rpartition(":")[0]) for n, d in library().items() if isinstance(d, Declaration)]

    assert sorted(declared) == sorted(rows)
    assert () == bag.all()


def test_a_row_says_what_is_inherited_and_what_is_not():
    by_name = {row.name: row for row in tasks(read(RICH), Bag())}
    leaf = by_name["leaf"]

    assert ("benchmark", "multiple-choice", "mid", "en") == (leaf.word, leaf.kind, leaf.parent, leaf.source)
    assert (("en", "th"), "X", "spec.xfer:19", "spec") == (leaf.languages, leaf.licence, leaf.declared, leaf.origin)
    assert ("X", None) == (by_name["base"].licence, by_name["base"].parent)
    assert (("en",), "library") == (by_name["copa"].languages, by_name["copa"].origin)
    big, bigger = (row for row in models(read(RICH), Bag()) if row.origin == "spec")
    assert 'scratch(layers: 2, width: 64, heads: 4, tokenizer: dir("m"))' == big.weights == bigger.weights


def test_what_hides_another_says_where_that_is():
    names = read("task copa : w-causes { }\nbenchmark b : copa { }")
    by_name = {row.name: row for row in tasks(names, Bag())}

    assert (place("copa"),) == by_name["copa"].hides
    assert () == by_name["b"].hides


def test_languages_have_those_who_have_data_of_them():
    names = read('task few : w-causes { languages: [qab, "xx"] }\nbenchmark fewer : few { languages: [xx] }')
    by_code = {row.code: row for row in languages(names, Bag())}

    assert (("few",), ("fewer",)) == (by_code["xx"].tasks, by_code["xx"].benchmarks)
    assert "few" in by_code["qab"].tasks and "fewer" not in by_code["qab"].benchmarks
    assert list(by_code) == sorted(by_code)
