"""Running a study: what must hold before the first step, the engine, the record of what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.ops import (
    AbsentRows,
    Baseline,
    HubModel,
    HubRows,
    Model,
    Predict,
    PythonRows,
    Select,
    Train,
    digests,
    sources,
)
from runtime import recorded
from runtime.contents import names
from runtime.engine import capacity
from runtime.errors import MissingInput, UnreachableInput
from runtime.estimates import estimate
from runtime.events import EventLog, new_name
from runtime.executor import Manner, Report, missing
from runtime.executor import run as execute
from runtime.preview import reading
from runtime.store.objects import Store
from xfer.api import Study
from xfer.opening import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.pins import HubFile
    from compiler.plan import Node, Plan
    from runtime.engine.local import LocalEngine
    from runtime.engine.messages import Group
    from runtime.executor import Event, Stop, Tell


Say = Callable[["HubFile"], None]


class Running(Struct, frozen=True):
    """How a plan is run. Nothing here changes a result, so nothing of it is in a key."""

    jobs: int | None = None  # worker processes; None: what the machine and the models suggest
    save_every: float = 60.0  # seconds between two states of a training
    allow_code: bool = False  # whether `python(…)` sources may run
    drop: bool = False  # checkpoints that the run makes go once nothing to run reads them any more


def check_reachable(plan: Plan, nodes: Iterable[Node], *, allow_code: bool) -> None:
    """Raise UnreachableInput for the first of the plan's `nodes` whose source a run could not read."""
    for node in nodes:
        for source in sources(node.op):
            if isinstance(source, HubModel | HubRows):
                message = f"`{source.repository}` lies on the hub, and `xfer.lock` does not pin it"
                raise UnreachableInput(node, message, "resolve it: `xfer lock SPEC`, or `xfer.lock(study)` in Python")
            if isinstance(source, AbsentRows):
                message = f"`{node.label}` reads `{source.pattern}`, and nobody said where `@{source.root}` lies"
                raise UnreachableInput(node, message, plan.obtaining(source))
            if isinstance(source, PythonRows) and not allow_code:
                message = f"`{node.label}` comes from `python(…)`, which would run the function `{source.function}`"
                raise UnreachableInput(node, message, "read the code, then allow it with `--allow-code`")


def check_given(plan: Plan) -> None:
    """Raise UnreachableInput for the first data set of a plan whose files nobody has given."""
    check_reachable(plan, reading(AbsentRows, plan.nodes), allow_code=True)


def local_files(plan: Plan, nodes: Sequence[Node], say: Say) -> Plan:
    """The plan with a local file for all content that `nodes` read from the hub, downloaded where it has to be.

    Raises UnreachableInput, before any work, for what the hub does not give.
    """
    read: dict[str, Node] = {}
    models = {n.key: n for n in plan.nodes if isinstance(n.op, Model)}
    for node in nodes:
        roots = [models[k] for k in node.inputs if k in models]
        for digest in (d for n in (node, *roots) for d in digests(n.op)):
            read.setdefault(digest, node)
    wanted = {digest: plan.hub[digest] for digest in read if digest in plan.hub and digest not in plan.files}
    if not wanted:
        return plan
    from runtime.hub.fetch import fetch

    try:
        found = fetch(wanted, say)
    except MissingInput as error:
        raise UnreachableInput(read[next(iter(wanted))], str(error), error.hint) from error
    return replace(plan, files={**plan.files, **found})


def check_device(plan: Plan) -> None:
    """Raise UsageError when the plan is for CUDA and this torch has none."""
    if plan.device.kind != "cuda":
        return
    import torch

    if not torch.cuda.is_available():
        message = f"the plan is for {plan.device.name}, and this torch ({torch.__version__}) finds no CUDA device"
        raise UsageError(message, "say `--device cpu`, or install a CUDA build of torch (README)")


def run(
    study: Study,
    tell: Tell | None = None,
    *,
    running: Running | None = None,
    stop: Stop | None = None,
    plan: Plan | None = None,
) -> Report:
    """Run what is missing of a study: of its plan, or of `plan`, the same with its files `fetched` before.

    Raises StoreError, or UnreachableInput before any work; failures of nodes are in the report. `stop` may be set from
    a signal handler or another thread.
    """
    running = running or Running()
    plan = plan or fetched(study, running)
    store = study.remembering()
    waiting = missing(plan, store)
    return _record(plan, store, waiting, running, tell, stop) if waiting else Report()


def fetched(study: Study, running: Running, say: Say = lambda _: None) -> Plan:
    """The study's plan with a local file for all that a run would read, downloaded where it has to be.

    Raises UnreachableInput for a source that cannot be read, UsageError for a device that is not there: all before
    any work, and before the store is written.
    """
    plan = study.plan
    waiting = missing(plan, study.store())
    check_reachable(plan, waiting, allow_code=running.allow_code)
    if not waiting:
        return plan
    check_device(plan)
    return local_files(plan, waiting, say)


def _record(
    plan: Plan, store: Store, waiting: Sequence[Node], running: Running, tell: Tell | None, stop: Stop | None
) -> Report:
    """Run, and write down what happens."""
    log = EventLog(store.root, new_name(), str(Path(plan.spec).absolute()), len(plan.nodes), len(waiting))
    recorded.write(log.folder, plan)

    def tell_both(node: Node, event: Event) -> None:
        log(node, event)
        if tell is not None:
            tell(node, event)

    report = None
    try:
        seconds = estimate(plan, store, waiting).seconds
        engine = _engine(plan, store.root, log, running)
        report = execute(plan, store, engine, tell_both, stop, Manner(seconds, running.drop))
    finally:
        log.end(report)
    return report


def _engine(plan: Plan, store: Path, log: EventLog, running: Running) -> LocalEngine:
    """Worker processes of this machine."""
    from runtime.engine.local import LocalEngine
    from runtime.engine.worker import Job

    gpus, jobs = capacity.workers(plan, running.jobs)
    cores = max(1, capacity.usable_cores() // jobs)
    kinds = {n.key: n.op.kind for n in plan.nodes if isinstance(n.op, Predict | Baseline)}
    job = Job(
        store.absolute(), plan.files, plan.device.kind, kinds, running.allow_code, running.save_every,
        log.folder.name, cores, log.folder.absolute() / "worker.log", names(plan),
    )  # fmt: skip
    needed = capacity.needed_memory(plan)

    def fits(_group: Group) -> bool:
        free = capacity.available_memory()
        return free is None or free >= needed

    return LocalEngine(
        job, jobs=jobs, gpus=gpus, fits=fits, long=lambda group: isinstance(group[0].op, Train | Select | Predict)
    )
