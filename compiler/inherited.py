"""A declaration written out: each key with all that it inherits, and who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from compiler.catalog import DECLARATION_KEYS, SLOT
from compiler.resolve import Merged, own_pairs
from dsl.syntax import Record

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.source import Span
    from dsl.syntax import Pair, Value

_Rule = Mapping[str, "_Rule"]
_MERGED: _Rule = {"input": {}, "settings": {}, "codes": {}, "per-language": {"*": {"input": {}}}}  # key by key
_Owned = tuple["Pair", str]  # with the name of the declaration that wrote it


class Entry(Struct, frozen=True):
    """A key as somebody wrote it; a record that merges key by key has `inner` ones."""

    key: str
    value: Value
    inner: tuple[Entry, ...]
    owner: str
    place: Span


def entries(merged: Merged, bag: Bag) -> tuple[Entry, ...]:
    """The keys of a declaration in the order of the catalogue."""
    order = DECLARATION_KEYS["model" if merged.declaration.word == "model" else "task"]
    keys = sorted(merged.pairs, key=lambda key: order.index(key) if key in order else len(order))
    return tuple(_entry(merged.pairs[key], _MERGED.get(key), bag) for key in keys)


def _entry(written: tuple[_Owned, ...], rule: _Rule | None, bag: Bag) -> Entry:
    """What several declarations say of one key, the nearest first."""
    pair, owner = written[0]
    inner: dict[str, tuple[_Owned, ...]] = {}
    for outer, writer in written if rule is not None else ():
        if isinstance(outer.value, Record):
            for key, found in own_pairs(outer.value, bag).items():
                slot = SLOT.get(key, key) if pair.key.text == "settings" else key
                inner[slot] = (*inner.get(slot, ()), (found, writer))
    below = tuple(_entry(w, (rule or {}).get(k, (rule or {}).get("*")), bag) for k, w in inner.items())
    return Entry(pair.key.text, pair.value, below, owner, pair.key.span)
