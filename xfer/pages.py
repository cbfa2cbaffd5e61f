"""The pages of diagnostics, `docs/diagnostics/`, which come with the package."""

from __future__ import annotations

from collections.abc import Mapping

import compiler.codes
import dsl.codes
from compiler.pipeline import PACKAGE
from xfer.opening import UsageError

FOLDER = PACKAGE / "docs" / "diagnostics"
TITLES: Mapping[str, str] = {**dsl.codes.TITLES, **compiler.codes.TITLES}
_SHOWN = 3  # codes near to one that is none


def page(code: str) -> str:
    """The page of a code, in Markdown. Raises UsageError for a code that is none."""
    known = code.upper()
    if known not in TITLES:
        raise UsageError(f"there is no diagnostic `{code}`", _hint(code))
    return (FOLDER / f"{known}.md").read_text(encoding="utf-8")


def _hint(code: str) -> str:
    """The codes nearest by number, for what has one; and where all stand."""
    digits = "".join(c for c in code if c in "0123456789")[:8]
    everything = "`xfer explain` alone lists all"
    if not digits:
        return f"a code looks like `{min(TITLES)}`; {everything}"
    near = sorted(sorted(TITLES, key=lambda known: (abs(int(known[1:]) - int(digits)), known))[:_SHOWN])
    return f"the nearest are {', '.join(f'`{c}`' for c in near)}; {everything}"
