"""Lark's tables of the grammar, kept beside it: to make them takes Lark longer than xfer takes to plan a page.

The kept ones are those of one text of `grammar.lark` and of one version of Lark; of any other the tables are made anew
at each start, which is slower and gives the same (`XFER_ACCEPT=grammar pytest tests/dsl/test_grammar.py` keeps them).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef
from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import asdict

if TYPE_CHECKING:
    from lark import Transformer

GRAMMAR: Final = Path(__file__).with_name("grammar.lark")
KEPT: Final = GRAMMAR.with_suffix(".json")


class _Table(Struct, frozen=True):
    """What to do in each state (an index) at each symbol (one too): (0, next state) or (1, rule)."""

    tokens: dict[int, str]
    states: dict[int, dict[int, tuple[int, Any]]]
    start_states: dict[str, int]
    end_states: dict[str, int]


class Tables(Struct, frozen=True):
    """What Lark says of a grammar; `data` without its table, for which `table` stands."""

    lark: str  # its version
    grammar: str  # SHA-256 of the text
    memo: dict[int, Any]
    data: dict[str, Any]
    table: _Table


def parser(transformer: Transformer[Any, Any]) -> Lark:
    """The parser of the grammar. Not strict: that needs interegular, which users lack; a test does it."""
    text = GRAMMAR.read_bytes()
    kept = decode(KEPT.read_bytes(), type=Tables)
    if (kept.lark, kept.grammar) != (lark.__version__, _digest(text)):
        return _read(text, transformer)
    whole = kept.data | {"parser": kept.data["parser"] | {"parser": asdict(kept.table)}}
    loaded: Lark = Lark._load_from_dict(whole, kept.memo, transformer=transformer)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as the standalone parsers that Lark makes
    return loaded


def made() -> bytes:
    """The tables of the grammar as they are kept: the same bytes whenever they are made of the same text."""
    text = GRAMMAR.read_bytes()
    data, memo = _read(text).memo_serialize([TerminalDef, Rule])
    table = data["parser"].pop("parser")
    found = {"lark": lark.__version__, "grammar": _digest(text), "memo": memo, "data": data, "table": _numbered(table)}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _read(grammar: bytes, transformer: Transformer[Any, Any] | None = None) -> Lark:
    options: dict[str, Any] = {"keep_all_tokens": True, "maybe_placeholders": False}
    return Lark(grammar.decode("utf-8"), parser="lalr", lexer="basic", transformer=transformer, **options)


def _numbered(table: dict[str, Any]) -> dict[str, Any]:
    """The table with its symbols in order, and its states as they are met from the start: Lark's numbers are chance."""
    tokens = sorted(table["tokens"].values())
    place, symbol = {name: n for n, name in enumerate(tokens)}, table["tokens"]
    order = list(table["start_states"].values())
    met = {state: n for n, state in enumerate(order)}
    states: dict[int, dict[int, Any]] = {}
    for state in order:  # which grows meanwhile
        row = states[met[state]] = {}
        for name, (action, said) in sorted((symbol[t], act) for t, act in table["states"][state].items()):
            if action == 0 and said not in met:
                met[said] = len(order)
                order.append(said)
            row[place[name]] = (action, met[said] if action == 0 else said)
    ends = {name: met[state] for name, state in table["end_states"].items()}
    starts = {name: met[state] for name, state in table["start_states"].items()}
    return {"tokens": dict(enumerate(tokens)), "states": states, "start_states": starts, "end_states": ends}


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
