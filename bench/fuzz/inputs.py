"""From the bytes that the fuzzer chooses to a text: written out, or one of `tests.fuzzing` by its number, then edited.

The first byte says which. Behind it stands a text in UTF-8, or the four bytes of a number and six for each edit.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from compiler.catalog import DECLARATION_KEYS, KINDS, SETTINGS
from tests.compiling import PRELUDE
from tests.fuzzing import SORTS, SPLICED, corpus
from tests.sentences import grammar

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4096  # bytes of one input
_MARKS = ("text", "text", "text", "with prelude", "with prelude", "valid", "grammatical", "mutated")
_HOSTILE = 255  # they are slow, and few of them are enough
_EDIT = struct.Struct("<HBBH")  # place, characters taken out, what is put in, which
_SEEDED = 24  # inputs of each sort to begin with


def read(data: bytes) -> tuple[str, str]:
    """The sort and the text that `data` stand for; any bytes are an input."""
    first, rest = data[:1] or b"\0", data[1:]
    sort = "hostile" if first[0] == _HOSTILE else _MARKS[first[0] % len(_MARKS)]
    if sort == "text":
        return sort, rest.decode("utf-8", "replace")
    if sort == "with prelude":
        return sort, PRELUDE + rest.decode("utf-8", "replace")
    number = int.from_bytes(rest[:4], "little")
    edits = list(_EDIT.iter_unpack(rest[4 : 4 + len(rest[4:]) // _EDIT.size * _EDIT.size]))
    text = SORTS[sort](number)
    for place, taken, sort_of_put, which in edits:
        text = _edited(text, place, taken % 16, _put(text, sort_of_put, which))
    return f"{sort}, edited" if edits else sort, text


def _edited(text: str, place: int, taken: int, put: str) -> str:
    start = place % (len(text) + 1)
    return text[:start] + put + text[start + taken :]


def _put(text: str, sort: int, which: int) -> str:
    """What an edit puts in: nothing, a word of the language, an odd character, or a piece of the same text."""
    match sort % 4:
        case 0:
            return ""
        case 1:
            return WORDS[which % len(WORDS)]
        case 2:
            return SPLICED[which % len(SPLICED)]
        case _:
            start = which % (len(text) + 1)
            return text[start : start + 1 + sort // 4]


def _words() -> tuple[str, ...]:
    """Texts of all terminals, settings, keys of declarations and kinds."""
    texts = [text for several in grammar()[1].values() for text in several]
    keys = {key for several in DECLARATION_KEYS.values() for key in several}
    return tuple(dict.fromkeys([*texts, *SPLICED, *sorted({*SETTINGS, *keys, *KINDS})]))


WORDS = _words()


def dictionary() -> str:
    """The words in the form of libFuzzer's dictionaries."""
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS)
    return "\n".join(f'"{word}"' for word in escaped if word) + "\n"


def seeds() -> Iterator[bytes]:
    """Inputs to begin with: each chunk of the library, the specs and the cases, and the first of each generator."""
    for text in corpus():
        for chunk in text.split("\n---\n"):
            yield b"\0" + chunk.encode()[: LONGEST - 1]
    for number in range(_SEEDED):
        for sort in ("valid", "grammatical", "mutated"):
            yield bytes([_MARKS.index(sort)]) + number.to_bytes(4, "little")
        yield bytes([_HOSTILE]) + number.to_bytes(4, "little")
