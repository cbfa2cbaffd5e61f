"""The verbs: compile a spec, look at its plan, run it, read its results. The command line is a thin coat over these."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler.pipeline import Compiled, Wanted, compile_text
from dsl.diagnostics import Severity
from runtime import results
from runtime.errors import XferError
from runtime.preview import Preview, preview
from runtime.store.objects import Store
from xfer.opening import Options, UsageError, default_store, find_device, imagined, places, read_source, store_root

if TYPE_CHECKING:
    import pyarrow as pa

    from compiler.places import Places
    from compiler.plan import Plan
    from runtime.estimates import Estimate
    from runtime.events import RunRecord
    from runtime.evidence.power import Outlook
    from runtime.evidence.tables import Drawn
    from runtime.evidence.verdicts import Judged
    from runtime.results import Row
    from runtime.why import Why


class SpecError(XferError):
    """A spec with errors; `.compiled` holds every diagnostic."""

    def __init__(self, compiled: Compiled) -> None:
        errors = [d for d in compiled.diagnostics if d.severity is Severity.ERROR]
        super().__init__(
            "; ".join(f"{d.primary.span}: {d.message}" for d in errors), errors[0].hint if errors else None
        )
        self.compiled = compiled


class Study(Struct, frozen=True):
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

    @property
    def store_root(self) -> Path:
        """The folder of the study's store."""
        return store_root(self.path, self.options)

    def store(self, *, write: bool = False) -> Store:
        """The study's store."""
        return Store(self.store_root, write=write)

    def remembering(self) -> Store:
        """The study's store, for writing, which now remembers the digests of local files."""
        store = self.store(write=True)
        store.index.remember((path, stat, digest) for path, (stat, digest) in self.places.hashed.items())
        return store

    def preview(self, plan: Plan | None = None, *, allow_code: bool = False) -> Preview:
        """What `run` would do now; or would with another plan, such as one that this version refuses."""
        return preview(plan or self.plan, self.store(), allow_code=allow_code)

    def outlooks(self) -> tuple[Outlook, ...]:
        """The claims that could hardly be decided with the seeds that are planned."""
        from runtime.evidence.power import outlooks

        return outlooks(self.plan, self.store()) if self.plan.claims else ()

    def estimate(self, found: Preview, plan: Plan | None = None) -> Estimate:
        """What is left to run takes, with as many workers as `run` has unless told otherwise."""
        from runtime.engine import capacity
        from runtime.estimates import NOTHING, estimate

        plan = plan or self.plan
        if not found.to_run:
            return NOTHING
        if self.options.on is not None:
            return estimate(plan, self.store(), found.to_run, imagined(self.options.on)[1])
        return estimate(plan, self.store(), found.to_run, capacity.workers(plan)[1])


def compile(  # noqa: A001
    path: str | Path, options: Options | None = None, *, run: bool = False, pinned: bool = True
) -> Study:
    """Compile the spec at `path`, or of `SPEC::LABEL` the one experiment. Nothing is run or written.

    Errors of the spec are in the study's diagnostics.
    With `run`, large local files are hashed too; without `pinned`, `xfer.lock` is not looked at. Raises XferError when
    the file cannot be read.
    """
    spec, chosen = _addressed(Path(path), options or Options())
    source = read_source(spec)
    index = Store(store_root(spec, chosen)).index
    read = places(spec, chosen, index.digest, run=run, pinned=pinned)
    device = imagined(chosen.on)[0] if chosen.on is not None else find_device(chosen.device)
    compiled = compile_text(source, read, device, Wanted(chosen.experiment, chosen.settings, chosen.look))
    index.close()
    if compiled.plan is not None and chosen.experiment not in (None, *compiled.experiments):
        hint = f"its experiments: {', '.join(compiled.experiments)}" if compiled.experiments else None
        raise UsageError(f"`{spec}` has no experiment `{chosen.experiment}`", hint)
    return Study(spec, chosen, compiled, read)


def _addressed(path: Path, options: Options) -> tuple[Path, Options]:
    """The spec of `SPEC::LABEL`, with the label among the options; a file that is called so is a spec."""
    spec, colons, label = str(path).rpartition("::")
    return (Path(spec), replace(options, experiment=label)) if colons and not path.exists() else (path, options)


def runs(spec: Path | None = None, store: Path | None = None) -> list[RunRecord]:
    """The runs of a store, the latest first; with a spec, of that spec alone, in its store."""
    from runtime.events import records

    root = store_root(spec, Options(store=store)) if spec is not None else store or default_store()
    found = records(root)
    return found if spec is None else [r for r in found if r.spec == str(spec.absolute())]


def find_run(name: str | None, store: Path | None = None) -> RunRecord:
    """The run of that name, or the only one that begins so; without a name the latest. Raises UsageError."""
    found = [r for r in runs(None, store) if r.name.startswith(name or "")]
    if not found:
        what = f"no run `{name}`" if name else "no run"
        raise UsageError(f"there is {what} in this store", "`xfer runs` lists them; `--store DIR` says which store")
    if name and len(found) > 1 and all(r.name != name for r in found):
        from compiler.suggest import listing

        fitting = f"it fits {listing(r.name for r in found)}"
        raise UsageError(f"`{name}` begins the names of {len(found)} runs", fitting)
    return next((r for r in found if r.name == name), found[0])


def why(study: Study, node: str) -> Why:
    """Why a node runs, or does not, by the beginning of its key or by its label. Raises UsageError for none."""
    from runtime.why import explain
    from xfer.naming import find_node

    return explain(study.plan, study.store(), find_node(study.plan, node).key)


def rows(study: Study) -> tuple[tuple[Row, ...], int]:
    """The study's scores that are there, and how many are missing."""
    return results.read(study.plan, study.store())


def reports(study: Study, title: str | None = None) -> tuple[Drawn, ...]:
    """The study's reports by the scores that are there; with a title, those whose titles hold it."""
    from runtime.evidence.scores import Evidence
    from runtime.evidence.tables import draw

    chosen = [r for r in study.plan.reports if title is None or title.lower() in r.title.lower()]
    evidence = Evidence(study.plan, study.store()) if chosen else None
    return tuple(draw(r, evidence) for r in chosen) if evidence is not None else ()


def verdicts(study: Study) -> tuple[Judged, ...]:
    """The study's claims with their verdicts by the scores that are there."""
    from runtime.evidence.scores import Evidence
    from runtime.evidence.verdicts import judge

    return judge(study.plan.claims, Evidence(study.plan, study.store())) if study.plan.claims else ()


def table(study: Study) -> pa.Table:
    """The study's scores that are there, one row each, as an Arrow table; `.to_pandas()` makes a data frame of it.

    Its columns are those of `xfer results --csv` (docs/commands.md).
    """
    from xfer.records import as_table

    return as_table(rows(study)[0])
