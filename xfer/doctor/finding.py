"""What was found of one thing, as data."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Mark(StrEnum):
    """How it stands with a thing."""

    OK = "ok"
    NOTE = "note"  # runs work; somebody may want to know
    TROUBLE = "trouble"  # something would stop runs


class Finding(Struct, frozen=True):
    """One line: the thing, how it stands with it, and for trouble how to mend it."""

    what: str
    mark: Mark
    finding: str
    hint: str | None = None


def ok(what: str, finding: str) -> Finding:
    """Nothing is wrong with `what`."""
    return Finding(what, Mark.OK, finding)


def note(what: str, finding: str, hint: str | None = None) -> Finding:
    """Runs work, and there is something to know."""
    return Finding(what, Mark.NOTE, finding, hint)


def trouble(what: str, finding: str, hint: str) -> Finding:
    """Something would stop runs."""
    return Finding(what, Mark.TROUBLE, finding, hint)
