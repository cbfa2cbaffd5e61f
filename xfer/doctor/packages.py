"""Python and the libraries: which versions, and whether they are those that xfer says it needs."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from xfer.doctor.finding import Finding, note, ok, trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

DISTRIBUTION = "xfer-lang"
NAMED = ("lark", "torch", "transformers", "tokenizers", "datasets", "safetensors", "pyarrow", "jinja2", "rich")


def examine() -> list[Finding]:
    """One line for Python, for each of NAMED, for each other with trouble, and one for the rest."""
    try:
        own = metadata.metadata(DISTRIBUTION)
        stated = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        unknown = note("xfer", "is not installed, so which versions it needs is not known", "`pip install` it")
        return [unknown, python(""), *(library(Requirement(name)) for name in NAMED)]
    return [ok("xfer", own["Version"]), python(own["Requires-Python"] or ""), *libraries(needed(stated))]


def needed(stated: Sequence[str]) -> list[Requirement]:
    """The requirements that hold here and of no extra."""
    found = [Requirement(text) for text in stated]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]


def python(allowed: str) -> Finding:
    """The interpreter and the system that it runs on."""
    words = f"{platform.python_version()} on {platform.platform()}"
    if SpecifierSet(allowed).contains(platform.python_version(), prereleases=True):
        return ok("python", words)
    return trouble("python", f"{words}, and xfer needs {allowed}", f"make an environment with Python {allowed}")


def libraries(requirements: Sequence[Requirement]) -> list[Finding]:
    """A line for each that has a name here or trouble; the others in one."""
    found = {r.name.lower(): library(r) for r in requirements}
    own = [found[name] for name in NAMED if name in found]
    rest = [finding for name, finding in found.items() if name not in NAMED]
    wrong = [finding for finding in rest if finding.hint is not None]
    quiet = ", ".join(f"{f.what} {f.finding.partition(' ')[0]}" for f in rest if f.hint is None)
    return [*own, *wrong, *([ok("others", quiet)] if quiet else [])]


def library(requirement: Requirement) -> Finding:
    """An installed library against what is required of it; nothing is imported."""
    name, allowed = requirement.name, requirement.specifier
    mend = f"pip install '{requirement}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return trouble(name, f"is not installed; xfer needs {allowed or 'it'}", mend)
    if allowed.contains(version, prereleases=True):
        return ok(name, f"{version} ({allowed})" if allowed else version)
    return trouble(name, f"{version}, and xfer needs {allowed}", mend)
