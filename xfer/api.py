"""The verbs: compile a spec, look at its plan, run it, read its results. The command line is a thin coat over these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.ops import Data, HubModel, HubRows, Model, Predict, PythonRows
from compiler.pipeline import Compiled, compile_text
from dsl.diagnostics import Severity
from runtime import results
from runtime.errors import MissingInput, XferError
from runtime.preview import Preview, preview
from runtime.store.objects import Store
from xfer.opening import Options, UsageError, find_device, places, read_source, store_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.places import Places
    from compiler.plan import Node, Plan
    from runtime.executor import Report, Tell
    from runtime.results import Row


class SpecError(XferError):
    """A spec with errors; `.compiled` holds every diagnostic."""

    def __init__(self, compiled: Compiled) -> None:
        errors = [d for d in compiled.diagnostics if d.severity is Severity.ERROR]
        super().__init__(
            "; ".join(f"{d.primary.span}: {d.message}" for d in errors), errors[0].hint if errors else None
        )
        self.compiled = compiled


@dataclass(frozen=True)
class Study:
    """A spec that was compiled, and where it runs."""

    path: Path
    options: Options
    compiled: Compiled
    places: Places

    @property
    def plan(self) -> Plan:
        """The plan; raises SpecError where there is none."""
        if self.compiled.plan is None:
            raise SpecError(self.compiled)
        return self.compiled.plan

    def store(self, *, write: bool = False) -> Store:
        """The study's store."""
        return Store(store_root(self.path, self.options), write=write)

    def preview(self) -> Preview:
        """What `run` would do now."""
        return preview(self.plan, self.store())


def compile(path: str | Path, options: Options | None = None, *, run: bool = False) -> Study:  # noqa: A001
    """Compile the spec at `path`. Errors of the spec are in the study's diagnostics; nothing is run or written.

    With `run`, large local files are hashed too. Raises XferError when the file cannot be read.
    """
    spec, chosen = Path(path), options or Options()
    source = read_source(spec)
    index = Store(store_root(spec, chosen)).index
    read = places(spec, chosen, index.digest, run=run)
    compiled = compile_text(source, read, find_device(chosen.device))
    index.close()
    return Study(spec, chosen, compiled, read)


class UnreachableError(MissingInput):
    """A source that a run could not read, found before any work; `.node` knows the place."""

    def __init__(self, node: Node, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.node = node


def check_reachable(nodes: Iterable[Node], *, allow_code: bool) -> None:
    """Raise UnreachableError for the first of `nodes` whose source a run could not read."""
    for node in nodes:
        source = node.op.source if isinstance(node.op, Model) else None
        for rows in (source, *(node.op.rows if isinstance(node.op, Data) else ())):
            if isinstance(rows, HubModel | HubRows):
                raise _on_the_hub(node, rows.repository)
            if isinstance(rows, PythonRows) and not allow_code:
                message = f"`{node.label}` comes from `python(…)`, which would run the function `{rows.function}`"
                raise UnreachableError(node, message, "read the code, then allow it with `--allow-code`")


def _on_the_hub(node: Node, repository: str) -> UnreachableError:
    local = 'weights: dir("FOLDER")' if isinstance(node.op, Model) else 'data: files("FOLDER/{{ split }}.jsonl")'
    return UnreachableError(
        node,
        f"`{repository}` lies on the hub, and `hf(…)` sources cannot be run yet",
        f"use a local copy: declare it with `{local}` (a name of your own hides the library's)",
    )


def check_device(plan: Plan) -> None:
    """Raise UsageError when the plan is for CUDA and this torch has none."""
    if plan.device.kind != "cuda":
        return
    import torch

    if not torch.cuda.is_available():
        message = f"the plan is for {plan.device.name}, and this torch ({torch.__version__}) finds no CUDA device"
        raise UsageError(message, "say `--device cpu`, or install a CUDA build of torch (README)")


def run(
    study: Study | Plan, tell: Tell | None = None, *, allow_code: bool = False, store: Path | None = None
) -> Report:
    """Run what is missing of a study, or of a bare plan in the store at `store`.

    Raises StoreError, or UnreachableError before any work; failures of nodes are in the report.
    """
    from runtime.bodies import TorchBodies
    from runtime.executor import missing
    from runtime.executor import run as execute

    plan = study.plan if isinstance(study, Study) else study
    root = store_root(study.path, study.options) if isinstance(study, Study) else store or _default_store()
    waiting = missing(plan, Store(root))
    check_reachable(waiting, allow_code=allow_code)
    if waiting:
        check_device(plan)
    opened = Store(root, write=True)
    if isinstance(study, Study):
        opened.index.remember((path, stat, digest) for path, (stat, digest) in study.places.hashed.items())
    kinds = {n.key: n.op.kind for n in plan.nodes if isinstance(n.op, Predict)}
    bodies = TorchBodies(plan.files, plan.device.kind, kinds, allow_code)
    return execute(plan, opened, bodies, *([tell] if tell else []))


def _default_store() -> Path:
    return store_root(Path("spec.xfer"), Options())


def rows(study: Study) -> tuple[tuple[Row, ...], int]:
    """The study's scores that are there, and how many are missing."""
    return results.read(study.plan, study.store())
