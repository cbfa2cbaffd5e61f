"""How far languages are from the source, where that is known: those of the embedded world."""

from __future__ import annotations

SOURCE = "qaa"  # what distances are from


def distance(code: str) -> float | None:
    """The distance of a language from the source, from 0 to 1; None where nobody knows."""
    from runtime.world import LANGUAGES

    language = LANGUAGES.get(code)
    return None if language is None else language.distance
