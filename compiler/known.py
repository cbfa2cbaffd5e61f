"""The names that a spec sees: where each was declared, and what it hides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from dsl.source import Span
from dsl.syntax import Declaration, Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.resolve import Named, Names

Origin = Literal["spec", "used", "library"]


class Known(Struct, frozen=True):
    """What a name stands for, where that was declared, and the declarations of the same name behind it."""

    named: Named
    origin: Origin
    hides: tuple[Named, ...] = ()

    @property
    def word(self) -> str:
        """`model`, `task`, `benchmark`, `group`, `let` or `suite`."""
        return word_of(self.named)

    @property
    def place(self) -> str:
        """`FILE:LINE`"""
        return place_of(self.named.name.span)


def known(names: Names) -> Mapping[str, Known]:
    """Every name that the spec sees: the library's first, then those of files that it uses, then its own."""
    scope = names.scopes[names.source]
    found: dict[str, Known] = {}
    levels: tuple[tuple[Origin, Mapping[str, Named]], ...] = (
        ("library", names.library), ("used", scope.used), ("spec", scope.own),
    )  # fmt: skip
    for origin, level in levels:
        for name, named in level.items():
            behind = found.get(name)
            found[name] = Known(named, origin, (behind.named, *behind.hides) if behind else ())
    return found


def word_of(named: Named) -> str:
    """The word that declares it."""
    return named.word if isinstance(named, Declaration) else type(named).__name__.lower()


def place_of(span: Span) -> str:
    """`FILE:LINE`"""
    return f"{span.source.name}:{span.line}"


def seen_from(spec: Names, text: str) -> Name:
    """A name as if it stood in the spec."""
    return Name(text, Span(spec.source, 0, 0))
