r"""Reports as tables of LaTeX (booktabs), to be taken in with `\input`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from xfer.render.sheets import CHOSEN, CLEAR, FAILED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xfer.render.sheets import Cell, Sheet, SheetLine

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "±": r"$\pm$", "†": r"$\dagger$", "‡": r"$\ddagger$", "·": r"$\cdot$",
    "ρ": r"$\rho$", "`": r"\textasciigrave{}", '"': r"\textquotedbl{}",
}  # fmt: skip
_MARKS = {CLEAR: "*", CHOSEN: r"\dagger", FAILED: r"\ddagger"}
HEAD = r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}"


def latex(sheet: Sheet) -> str:
    """The report as a `table`, with what is said of it below."""
    stubs, columns = len(sheet.stubs), len(sheet.heads)
    lines = [HEAD, r"\begin{table}", r"\centering", rf"\caption{{{escaped(sheet.title)}}}"]
    lines += [rf"\begin{{tabular}}{{{'l' * stubs}{'r' * columns}}}", r"\toprule", *_heads(sheet), r"\midrule"]
    for number, block in enumerate(sheet.blocks):
        if block.title:
            rule = [r"\midrule"] if number else []
            lines += [*rule, rf"\multicolumn{{{stubs + columns}}}{{l}}{{\emph{{{escaped(block.title)}}}}} \\"]
        lines += [_line(line) for line in block.lines]
    lines += [r"\bottomrule", r"\end{tabular}", "", r"\smallskip", r"\begin{minipage}{\linewidth}\footnotesize"]
    lines += [rf"{escaped(note)}.\\" for note in sheet.notes[:-1]] + [f"{escaped(note)}." for note in sheet.notes[-1:]]
    return "\n".join([*lines, r"\end{minipage}", r"\end{table}"]) + "\n"


def _heads(sheet: Sheet) -> Iterator[str]:
    """One line an axis of the columns; equal neighbours of all but the last stand over one span."""
    depth = max(len(head) for head in sheet.heads)
    for level in range(depth):
        last = level == depth - 1
        stubs = [escaped(stub) if last else "" for stub in sheet.stubs]
        texts = [head[level] for head in sheet.heads]
        yield " & ".join([*stubs, *(map(escaped, texts) if last else _spans(texts))]) + r" \\"


def _spans(texts: Sequence[str]) -> Iterator[str]:
    for text, group in groupby(texts):
        yield rf"\multicolumn{{{len(list(group))}}}{{c}}{{{escaped(text)}}}"


def _line(line: SheetLine) -> str:
    labels = [rf"\quad {escaped(label.strip())}" if label.startswith(" ") else escaped(label) for label in line.labels]
    return " & ".join([*labels, *map(_cell, line.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    r"""`$76.5 \pm 1.5^{*}$`"""
    if cell.value in {NOTHING, ""}:
        return "--" if cell.value else ""
    half = rf" \pm {cell.half}" if cell.half else ""
    marks = "".join(_MARKS.get(mark, mark) for mark in cell.marks)
    return f"${cell.value}{half}{f'^{{{marks}}}' if marks else ''}$"


def escaped(text: str) -> str:
    """The text as LaTeX prints it."""
    return re.sub(r"[\\&%$#_{}~^<>|–±†‡·ρ`\"]", lambda found: _SPECIAL[found[0]], text)
