"""The space between two tokens that share a line."""

from __future__ import annotations

from typing import Final

OPENERS: Final = frozenset({"LPAR", "LSQB", "LBRACE"})
CLOSERS: Final = frozenset({"RPAR", "RSQB", "RBRACE"})
_CALLED: Final = frozenset({"NAME", "BEST", "RPAR", "RSQB"})
_OPERANDS: Final = frozenset({"NAME", "STAR", "NUMBER", "RPAR", "RSQB"})


def space(before: str, kind: str, earlier: str) -> str:
    """The space between a token of type `before`, which stands behind one of type `earlier`, and one of type `kind`."""
    return "" if _tight(before, kind) or (before == "MINUS" and not subtracts(earlier)) else " "


def subtracts(before: str) -> bool:
    """Whether a `-` behind such a token takes away; elsewhere it is the sign of a number."""
    return before in _OPERANDS


def _tight(before: str, kind: str) -> bool:
    if before == "LBRACE" or kind == "RBRACE":
        return before == "LBRACE" and kind == "RBRACE"
    if before in OPENERS or kind in CLOSERS or kind in {"COMMA", "COLON"}:
        return True
    return kind in {"LPAR", "LSQB"} and before in _CALLED
