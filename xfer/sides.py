"""What `xfer compare` compares: the scores of a run by its name, or of a spec as it is, or as it was."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runtime import recorded
from runtime.evidence.scores import Evidence
from runtime.store.objects import Store
from xfer import api
from xfer.opening import Options, UsageError, default_store
from xfer.revisions import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIX = ".xfer"


class Side(Struct, frozen=True, eq=False):
    """The scores of one side, and what it is called."""

    title: str
    evidence: Evidence


def side(address: str, where: Mapping[str, Any]) -> Side:
    """The scores at an address: a run by the beginning of its name, or a spec. Raises UsageError or SpecError."""
    if Path(address).exists() or _SUFFIX in address:
        return _of_spec(address, where)
    store = where.get("store") or default_store()
    run = api.find_run(address, store)
    plan = recorded.read(run.path.parent, run.spec)
    if plan is None:
        message = f"the run `{run.name}` recorded no scores, as older versions did not"
        raise UsageError(message, f"compare its spec: `{run.spec}`")
    return Side(f"{run.name} ({Path(run.spec).name})", Evidence(plan, Store(store)))


def _of_spec(address: str, where: Mapping[str, Any]) -> Side:
    with ExitStack() as stack:
        spec, copy = stack.enter_context(opened(address))
        allowed = (*where["allowed"], *([copy.parent, Path.cwd()] if copy is not None else []))
        study = api.compile(spec, Options(**{**where, "allowed": allowed}))
        return Side(address, Evidence(study.plan, study.store()))
