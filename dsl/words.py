"""The terminals of `grammar.lark` in the reader's words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dsl.tokens import END, Lexeme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STATEMENT_WORDS: Final = frozenset(
    {"USE", "MODEL", "TASK", "BENCHMARK", "SUITE", "GROUP", "LET", "DEFAULTS", "REPORT", "CLAIM", "BUDGET"}
)
KEYWORDS: Final = STATEMENT_WORDS | {"SKIP", "WITH", "BEST", "EVERY", "SOME", "AT", "EXPECT"}

_SIGNS: Final = {
    "ARROW": "->",
    "TARGET": "@",
    "PLUS": "+",
    "WITH": "with",
    "COLON": ":",
    "EQUAL": "=",
    "BAR": "|",
    "COMMA": ",",
    "RBRACE": "}",
    "RSQB": "]",
    "RPAR": ")",
    "LBRACE": "{",
    "LSQB": "[",
    "LPAR": "(",
    "MINUS": "-",
    "STAR": "*",
}

# In the order in which a list of what was expected names them.
WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "NAME": "a name",
        "STRING": 'a string in `"…"`',
        "NUMBER": "a number",
        "COMPARISON": "a comparison such as `>=`",
        **{terminal: f"`{sign}`" for terminal, sign in _SIGNS.items()},
        **{terminal: f"`{terminal.lower()}`" for terminal in sorted(KEYWORDS - {"WITH"})},
        END: "the end of the file",
        "COMMENT": "a comment",
        "SPACE": "white space",
    }
)

# What a set of terminals amounts to; the first that is contained speaks for all of its own.
_NAMES: Final = KEYWORDS | {"NAME"}
_KINDS: Final[tuple[tuple[frozenset[str], frozenset[str], str], ...]] = tuple(
    (frozenset(needs), frozenset(covers), words)
    for needs, covers, words in (
        (_NAMES | {"NUMBER", "STRING"}, _NAMES | {"NUMBER", "STRING", "MINUS", "LBRACE", "LSQB"}, "a value"),
        (_NAMES, _NAMES, "a key"),
        (STATEMENT_WORDS, STATEMENT_WORDS | {"NAME", "LBRACE", END}, "a statement"),
        ({"NAME", "NUMBER", "BEST"}, {"NAME", "NUMBER", "BEST", "MINUS"}, "a quantity such as `mean(x)`"),
        ({"NAME", "LBRACE", "SKIP"}, {"NAME", "LPAR"}, "a task name"),
        ({"NAME", "ARROW", "TARGET"}, {"NAME"}, "the name of a suite"),
        ({"NAME", "STAR"}, {"NAME"}, "a language code"),
        ({"NAME", "LBRACE"}, {"NAME"}, "a model name"),
    )
)
_MOST: Final = 5
_LONGEST: Final = 40


def expected(terminals: Iterable[str]) -> str:
    """What could have stood there, as a short list: "a task name, `{` or `skip`"."""
    rest, words = set(terminals), []
    for needs, covers, kind in _KINDS:
        if needs <= rest:
            rest -= covers
            words.append(kind)
    last = [words.pop(words.index("a statement"))] if "a statement" in words and rest else []
    words += [word for terminal, word in WORDS.items() if terminal in rest]
    return listed([*words[: _MOST - len(last)], *last])


def listed(words: list[str]) -> str:
    """The words as `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def found(lexeme: Lexeme) -> str:
    """What stands there, quoted; of a long or many-lined token its beginning."""
    if lexeme.type == END:
        return WORDS[END]
    line = lexeme.span.text.split("\n", 1)[0].rstrip()
    shown = line if line == lexeme.span.text and len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    return f"`{shown}`"
