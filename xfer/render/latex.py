r"""Reports as tables of LaTeX (booktabs), to be taken in with `\input`."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from xfer.render.sheets import CHOSEN, CLEAR, FAILED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xfer.render.sheets import Cell, Sheet, SheetLine

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\textasciigrave{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}",
    "[": "{[}", "*": "{*}",  # which the end of the line before would take for its own
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\dots{}", "±": r"$\pm$", "†": r"$\dagger$", "‡": r"$\ddagger$",
    "·": r"$\cdot$", "×": r"$\times$", "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$",
    "∞": r"$\infty$", "→": r"$\to$", "←": r"$\leftarrow$",
}  # fmt: skip
_SYMBOLS = {  # where they stand alone
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "λ": "lambda", "μ": "mu", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "χ": "chi", "Δ": "Delta", "Σ": "Sigma",
}  # fmt: skip
_KNOWN = " -~\u00a1-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e\u0218-\u021b‘’“”"
_PIECES = re.compile(rf"--+|,,+|[{re.escape(''.join(_SPECIAL))}]|[^{_KNOWN}{re.escape(''.join(_SPECIAL))}]+")
_MARKS = {CLEAR: "*", CHOSEN: r"\dagger", FAILED: r"\ddagger"}
_MANY = 6  # columns, above which they are set small and close

HEAD = r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}"
SCRIPT = r"""% Letters that T1 has not: XeLaTeX and LuaLaTeX print them, if the font has them; pdfLaTeX, code points,
% unless \xferscript is defined before, such as \newcommand{\xferscript}[2]{\begin{CJK}{UTF8}{gbsn}#1\end{CJK}}.
\providecommand{\xferscript}[2]{\ifdefined\Umathchar#1\else\texttt{#2}\fi}"""


def latex(sheet: Sheet) -> str:
    """The report as a `table`, with what is said of it below."""
    text = "\n".join(_table(sheet))
    said = [HEAD, SCRIPT] if r"\xferscript{" in text else [HEAD]
    return "\n".join([*said, text]) + "\n"


def _table(sheet: Sheet) -> Iterator[str]:
    stubs, columns = len(sheet.stubs), len(sheet.heads)
    yield from (r"\begin{table}", r"\centering", rf"\caption{{{escaped(sheet.title)}}}")
    if columns > _MANY:
        yield r"\footnotesize\setlength{\tabcolsep}{3pt}"
    yield from (rf"\begin{{tabular}}{{{'l' * stubs}{'r' * columns}}}", r"\toprule", *_heads(sheet), r"\midrule")
    for number, block in enumerate(sheet.blocks):
        if block.title:
            yield from [r"\midrule"] if number else []
            yield rf"\multicolumn{{{stubs + columns}}}{{l}}{{\emph{{{escaped(block.title)}}}}} \\"
        yield from map(_line, block.lines)
    yield from (r"\bottomrule", r"\end{tabular}", "", r"\smallskip", r"\begin{minipage}{\linewidth}\footnotesize")
    yield from (rf"{escaped(note)}.\\" for note in sheet.notes[:-1])
    yield from (f"{escaped(note)}." for note in sheet.notes[-1:])
    yield from (r"\end{minipage}", r"\end{table}")


def _heads(sheet: Sheet) -> Iterator[str]:
    """One line an axis of the columns; equal neighbours of all but the last stand over one span."""
    depth = max(len(head) for head in sheet.heads)
    for level in range(depth):
        last = level == depth - 1
        stubs = [escaped(stub) if last else "" for stub in sheet.stubs]
        texts = [escaped(head[level]) for head in sheet.heads] if last else _spans(sheet, level)
        yield " & ".join([*stubs, *texts]) + r" \\"


def _spans(sheet: Sheet, level: int) -> Iterator[str]:
    """The values of an axis, each over the columns that have it and the same values of the axes above."""
    for above, group in groupby(head[: level + 1] for head in sheet.heads):
        yield rf"\multicolumn{{{len(list(group))}}}{{c}}{{{escaped(above[-1])}}}"


def _line(line: SheetLine) -> str:
    labels = [rf"\quad {escaped(label)}" if label.startswith(" ") else escaped(label) for label in line.labels]
    return " & ".join([*labels, *map(_cell, line.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    r"""`$76.5 \pm 1.5^{*}$`"""
    if cell.value in {NOTHING, ""}:
        return "--" if cell.value else ""
    half = rf" \pm {cell.half}" if cell.half else ""
    marks = "".join(_MARKS.get(mark, mark) for mark in cell.marks)
    return f"${cell.value}{half}{f'^{{{marks}}}' if marks else ''}$"


def escaped(text: str) -> str:
    """The text in one line, as LaTeX prints it."""
    return _PIECES.sub(_piece, unicodedata.normalize("NFC", " ".join(text.split())))


def _piece(found: re.Match[str]) -> str:
    """A sign with a meaning of its own, signs that would become one, or letters that the font has not."""
    piece = found[0]
    if piece in _SPECIAL:
        return _SPECIAL[piece]
    if piece[0] in "-,":
        return "{}".join(piece)
    if piece in _SYMBOLS:
        return rf"$\{_SYMBOLS[piece]}$"
    codes = " ".join(f"U+{ord(sign):04X}" for sign in piece)
    printed = "".join(sign for sign in piece if unicodedata.category(sign) != "Cc")  # TeX refuses some of these
    return rf"\xferscript{{{printed}}}{{{codes}}}"
