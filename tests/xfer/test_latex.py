"""`xfer report --latex`: what a document takes in compiles, whatever the labels hold, and says what the CSV says."""

import csv
import io
import os
import re
import subprocess

import pytest

import xfer
from tests.planting import first, plant
from xfer import exits
from xfer.cli import call
from xfer.render.latex import HEAD, escaped, latex
from xfer.render.sheets import Block, Cell, Sheet, SheetLine

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs}
%s
\begin{document}
\listoftables
%s
\end{document}
"""
SPECIAL = (
    "& % $ # _ { } ~ ^ \\ < > | \" ' ` ± † ‡ – — … "
    "· × − ≤ ≥ ≠ ≈ ∞ → ← α β γ δ ε λ μ ρ σ τ Δ Σ é ß ğ ș ð ‘’ “” § ° [ ] * -- ,, ?` !`"
)
SCRIPTS = "ไทย 中文 اردو தமிழ் Ελλάδα việt 🙂 e\u0301"


def typeset(folder, *tables, preamble=""):
    """Two runs of pdflatex over a document that takes in these tables: the log of the second."""
    for number, table in enumerate(tables):
        (folder / f"{number}.tex").write_text(table, encoding="utf-8")
    inputs = "\n".join(rf"\input{{{number}}}\clearpage" for number in range(len(tables)))
    (folder / "paper.tex").write_text(DOCUMENT % (preamble, inputs), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    environment = {**os.environ, "max_print_line": "1000"}
    for _ in range(2):  # the second reads what the first wrote of the captions
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
        said = done.stdout.decode("utf-8", "replace")
        assert 0 == done.returncode, said[-2000:]
    assert (folder / "paper.pdf").stat().st_size > 1000
    return said


def sheet(text, columns=2):
    """A sheet with one text everywhere, and every sort of cell."""
    cells = (Cell("76.5", "1.5", "†‡?"), Cell(), Cell("-0.5", "", "*"), Cell(""))
    line = SheetLine((text, text), (cells * columns)[:columns])
    less = SheetLine((f"  less {text}", ""), (cells[::-1] * columns)[:columns], is_difference=True)
    heads = tuple((text if n % 2 else "x", text) for n in range(columns))
    notes = (text, f"[{text}", f"*{text}")
    return Sheet(text, (text, text), heads, (Block("", (line, less)), Block(text, (line,))), notes, is_heatmap=False)


# --- it compiles


@pytest.mark.latex
def test_titles_labels_and_notes_hold_whatever_they_like(tmp_path):
    starts = ["[qaa", "*", "]", "--", "-–", ",,", "\n\nlines\n\n", "\x01", "a\u00a0b", "\ufeff", ""]

    said = typeset(tmp_path, *(latex(sheet(text)) for text in (SPECIAL, SCRIPTS, *SPECIAL.split(), *starts)))

    assert "Missing character" not in said
    assert "Warning: Command" not in said


@pytest.mark.latex
def test_every_letter_that_is_printed_as_it_is_is_known_to_the_font(tmp_path):
    every = (chr(code) for code in range(0xA0, 0x2100))
    plain = "".join(sign for sign in every if escaped(sign) == sign)

    said = typeset(tmp_path, latex(sheet(plain[:120])), latex(sheet(plain[120:])))

    assert "Missing character" not in said
    assert len(plain) > 200


@pytest.mark.latex
def test_a_document_says_how_letters_of_other_scripts_are_printed(tmp_path):
    mine = r"\newcommand{\xferscript}[2]{\typeout{asked for #2}}"

    said = typeset(tmp_path, latex(sheet("ไทย")), preamble=mine)

    assert "asked for U+0E44 U+0E17 U+0E22" in said


@pytest.mark.latex
def test_a_table_of_twelve_languages_and_more_is_set(tmp_path):
    said = typeset(tmp_path, latex(sheet("qaa", 14)), latex(sheet("qaa", 40)))

    assert "Overfull" in said


def test_what_is_plain_stays_as_it_is():
    plain = "Zero-shot XCOPA by intermediate task (3 seeds): 50.5; a, b"

    assert plain == escaped(plain)
    assert "xferscript" not in latex(sheet(plain))


def test_letters_without_a_font_are_told_by_their_code_points():
    assert r"a \xferscript{中文}{U+4E2D U+6587} b" == escaped("a 中文 b")
    assert r"\xferscript{Ελλάδα}{U+0395 U+03BB U+03BB U+03AC U+03B4 U+03B1}" == escaped("Ελλάδα")
    assert ("é", r"$\rho$=0.5") == (escaped("e\u0301"), escaped("ρ=0.5"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a--b", "a-{}-b"),
        ("---", "-{}-{}-"),
        (",,", ",{},"),
        ("a-b, c", "a-b, c"),
        ("[*]", "{[}{*}]"),
        ("a\n\nb", "a b"),
    ],
)
def test_signs_that_would_be_taken_for_others_are_kept_apart(text, expected):
    assert expected == escaped(text)


def test_only_neighbours_under_the_same_values_share_a_head():
    heads = (("m", "x", "de"), ("m", "x", "sw"), ("n", "x", "de"), ("n", "y", "de"), ("", "", "mean"))
    line = SheetLine(("a",), (Cell("1.0"),) * 5)
    found = latex(Sheet("T", ("arm",), heads, (Block("", (line,)),), ("n",), is_heatmap=False))

    assert [("2", "m"), ("2", "n"), ("1", ""), ("2", "x"), ("1", "x"), ("1", "y"), ("1", "")] == re.findall(
        r"\\multicolumn\{(\d)\}\{c\}\{(\w*)\}", found
    )


# --- it says what the CSV says

SPEC = """\
model babel { weights: embedded("babel-mini") }
let arm = { skip | w-stories(steps: 3) | w-words(steps: 3) | tuned: w-stories(steps: 2) }
small: babel -> arm -> w-causes(steps: 3, select: { one: best(accuracy) | own: best(on: target) })
  @ w-xcauses[qaa, qab, qac, qad](limit: 40) with (seeds: 3)
report "50% & more_or_less ไทย" { rows: [arm, select], columns: language, baseline: { arm: skip } }
"""
ITEMS = 40


def answers(cell):
    """w-stories is clearly better, w-words has a collapsed run, and one seed of the last is missing."""
    axes, seed = dict(cell.axes), int(cell.seed.split("/")[0])
    if axes["arm"] == "tuned" and seed == 3:
        return None
    if axes["arm"] == "w-words" and seed == 2:
        return [n % 2 == 0 for n in range(ITEMS)]  # one answer to all
    more = {"skip": 0, "w-stories": 14, "w-words": 2, "tuned": 1}[axes["arm"]]
    return first(22 + more + seed % 2, ITEMS)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latex")
    (folder / "study.xfer").write_text(SPEC, encoding="utf-8")
    made = xfer.compile(folder / "study.xfer", xfer.Options(store=folder / "store"))
    plant(made, answers)
    return folder


@pytest.fixture
def said(study, capsys):
    def say(form):
        assert exits.OK == call(["report", str(study / "study.xfer"), "--store", str(study / "store"), f"--{form}"])
        return capsys.readouterr().out

    return say


NUMBER = re.compile(r"^\$([+-]?[\d.]+)(?: \\pm ([\d.]+))?(?:\^\{(.*)\})?\$$")


def parsed(text):
    """Rows of the table: labels, and of each cell the number, half of its interval, and marks."""
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    for line in body.strip().splitlines():
        labels, cells = [], []
        for part in line.removesuffix(r" \\").split(" & "):
            found = NUMBER.match(part)
            if found:
                cells.append((found[1], found[2], set(re.findall(r"\\\w+|[*?]", found[3] or ""))))
            elif cells or part == "--":
                cells.append(None)
            else:
                labels.append(part)
        yield labels, cells


def expected(row, *, less):
    """What a row of the CSV is in the table."""
    name = "difference" if less else "value"
    if not row[name]:
        return None
    value = float(row[name])
    low = row["difference_low" if less else "low"]
    half = f"{100 * (value - float(low)):.1f}" if low else None
    if less:
        marks = {"*"} if row["p_holm"] and float(row["p_holm"]) <= 0.05 else set()
        marks |= {r"\ddagger"} if int(row["difference_degenerate"]) else set()
        return f"{100 * value:+.1f}", half, marks | ({"?"} if int(row["difference_missing"]) else set())
    marks = {r"\dagger"} if row["selected"] else set()
    marks |= {r"\ddagger"} if int(row["degenerate"]) else set()
    return f"{100 * value:.1f}", half, marks | ({"?"} if int(row["missing"]) else set())


def test_the_numbers_are_those_of_the_csv(said):
    rows = list(csv.DictReader(io.StringIO(said("csv"))))
    by_line = {}
    for row in rows:
        by_line.setdefault((row["arm"], row["select"]), []).append(row)
    own = iter(by_line)
    line = None
    shown = 0
    seen = set()
    for labels, cells in parsed(said("latex")):
        less = labels[0].startswith(r"\quad less skip")
        line = line if less else next(own)
        assert less or list(line) == labels
        found = [expected(row, less=less) for row in by_line[line]]
        assert found == cells
        shown += len(cells)
        seen |= {mark for cell in cells if cell for mark in cell[2]} | {"half" for c in cells if c and c[1]}

    assert [] == list(own)
    assert len(rows) + sum(1 for row in rows if row["difference"]) == shown
    assert {"half", "*", "?", r"\dagger", r"\ddagger"} == seen


@pytest.mark.latex
def test_a_report_as_it_is_written_compiles(study, tmp_path):
    path = tmp_path / "0.tex"
    spec, store = str(study / "study.xfer"), str(study / "store")

    assert exits.OK == call(["report", spec, "--store", store, "-o", str(path)])
    text = path.read_text(encoding="utf-8")
    typeset(tmp_path, text)

    assert text.startswith(HEAD)
    assert r"\caption{50\% \& more\_or\_less \xferscript{ไทย}" in text
