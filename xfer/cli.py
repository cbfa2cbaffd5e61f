"""The command line: arguments in, one call of the API, what came back drawn, an exit code out."""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from runtime.errors import Crashed, NodeFailed, StoreError, UnreachableInput, XferError
from runtime.executor import Report
from xfer import api, concluding, exits, inspecting, previewing, reference, saving
from xfer.arguments import common, consoles, locked_alone, put
from xfer.limits import OverBudgetError, check_budget
from xfer.opening import NotTextError, Options, UsageError
from xfer.render.messages import (
    NOTHING,
    counted,
    failure_place,
    point_to_pages,
    say_fetching,
    say_interrupted,
    show_diagnostics,
    show_error,
    show_failure,
    warn,
)
from xfer.saving import StalePlanError, check_fresh

if TYPE_CHECKING:
    from compiler.plan import Node
    from runtime.executor import Event
    from runtime.preview import Preview
    from xfer.locking import Locked
    from xfer.running import Running

_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EBADF)  # of a stream: a full or vanished place for the output


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xfer-lang", prog_name="xfer")
def main() -> None:
    """Declare transfer studies, see what would run, run it, and read what came out."""


@main.command()
@common
def check(spec: Path, **places: Any) -> int:  # noqa: ANN401
    """Report what is wrong with SPEC. Exit 0: nothing or only warnings, 2: errors."""
    _, err = consoles()
    study = api.compile(spec, Options(**places))
    show_diagnostics(err, study.compiled.diagnostics)
    point_to_pages(err, study.compiled.diagnostics)
    if study.compiled.plan is None:
        return exits.USAGE
    err.print(
        f"{spec}: {counted(len(study.plan.nodes), 'node')}, {counted(len(study.plan.cells), 'score')}", highlight=False
    )
    return exits.OK


@main.command()
@common
@click.option("--allow-code", is_flag=True, help="Run the code of `python(…)` sources.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Worker processes (default: one a GPU, or what fits the CPU)."
)
@click.option("--save-every", type=click.FloatRange(0), default=60.0, show_default=True, metavar="SECONDS",
              help="How often a training saves the state it would resume from.")  # fmt: skip
@click.option("--keep", type=click.Choice(["all", "final"]), default="all", show_default=True,
              help="final: drop each new checkpoint once all that reads it is done.")  # fmt: skip
@locked_alone
def run(
    spec: Path,
    *,
    locked: bool,
    allow_code: bool,
    jobs: int | None,
    save_every: float,
    keep: str,
    **places: Any,  # noqa: ANN401
) -> int:
    """Run what is missing of SPEC, or of a plan that `plan -o` saved, then show its scores.

    Ctrl-C saves and stops; the same command goes on.
    """
    from xfer.running import Running

    out, err = consoles()
    running = Running(jobs, save_every, allow_code, keep == "final")
    study, saved = _opened(spec, Options(**places), err, locked=locked)
    if study.compiled.plan is None:
        return exits.USAGE
    found = study.preview(allow_code=allow_code)
    if saved is not None:
        check_fresh(saved, study, found)
    if study.compiled.limits is not None:
        check_budget(study.compiled.limits, study.estimate(found))
    report = _execute(study, found, err, running)
    for mended in report.mended:
        warn(err, f"{mended.__cause__}; it was made again")
    if report.interrupted:
        say_interrupted(err, report)
        return exits.INTERRUPTED
    _show_scores(study, out, failed=bool(report.failed))
    if words := _asked(study):
        err.print(words, highlight=False, soft_wrap=True)
    for alike in _alike(report.failed):
        _explain(err, alike[0], sum(1 + len(report.others.get(f.node.key, ())) for f in alike) - 1)
    return exits.ERROR if report.failed else exits.OK


def _asked(study: api.Study) -> str:
    """Where what the spec asks of its scores is answered."""
    plan = study.plan
    parts = [(len(plan.reports), "report", "report"), (len(plan.claims), "claim", "verify")]
    return "; ".join(f"{counted(n, noun)}: `xfer {verb} {study.path}`" for n, noun, verb in parts if n)


def _opened(spec: Path, options: Options, err: Console, *, locked: bool) -> tuple[api.Study, saving.Saved | None]:
    """The study of a spec with its names resolved; or that of a saved plan, which is given beside it."""
    from xfer.locking import check_locked
    from xfer.running import check_given

    saved = saving.read(spec) if saving.is_saved(spec) else None
    study = api.compile(saved.spec if saved else spec, saved.options if saved else options, run=True)
    if study.compiled.plan is not None:
        check_given(study.compiled.plan)
    if study.compiled.plan is not None and locked:
        check_locked(study.compiled.plan)
    elif study.compiled.plan is not None and saved is None:
        study = _locked(study, err).study
    show_diagnostics(err, study.compiled.diagnostics)
    return study, saved


def _locked(study: api.Study, err: Console, *, update: bool = False) -> Locked:
    """The study with its hub names resolved; says what is asked of the hub."""
    from xfer.locking import lock as resolve

    return resolve(study, lambda words: err.print(words, highlight=False), update=update)


@main.command()
@common
@click.option("--update", is_flag=True, help="Resolve what is pinned anew.")
def lock(spec: Path, *, update: bool, **places: Any) -> int:  # noqa: ANN401
    """Resolve the hub names of SPEC, write `xfer.lock` beside it, and show what it pins."""
    from xfer.render.pins import show_pins

    out, err = consoles()
    study = api.compile(spec, Options(**places), run=True)
    if study.compiled.plan is None:
        show_diagnostics(err, study.compiled.diagnostics)
        show_pins(out, study.places.pins, ())
        return exits.USAGE
    locked = _locked(study, err, update=update)
    show_diagnostics(err, locked.study.compiled.diagnostics)
    show_pins(out, locked.study.places.pins, locked.resolved, locked.moved)
    return exits.USAGE if locked.study.compiled.plan is None else exits.OK


def _execute(study: api.Study, found: Preview, err: Console, running: Running) -> Report:
    from xfer.render.plan import totals

    err.print(totals(study.plan, found), highlight=False)
    if not found.to_run:
        study.remembering().present(n.key for n in study.plan.nodes)  # the times of a copied store
        err.print(NOTHING, highlight=False)
        return Report()
    from xfer.render.costs import taken
    from xfer.render.live import LiveView, Seen, summary
    from xfer.running import fetched
    from xfer.running import run as start
    from xfer.stopping import stop_on_signals

    plan = fetched(study, running, lambda file: say_fetching(err, file))
    with LiveView(err, len(found.to_run)) as live, stop_on_signals(live.say_stopping) as stop:

        def tell(node: Node, event: Event) -> None:
            live.show(Seen(node.key, node.sort, node.label), event)

        report = start(study, tell, running=running, stop=stop, plan=plan)
    if words := summary(report):
        err.print(words, highlight=False)
    if words := taken(report, study.store()):
        err.print(words, highlight=False)
    return report


def _alike(failures: list[NodeFailed]) -> list[list[NodeFailed]]:
    """Failures that one change of the spec would mend, together: of one kind, at one place, with one hint."""
    groups: dict[object, list[NodeFailed]] = {}
    for failure in failures:
        field = getattr(failure.__cause__, "field", None)
        own = None if field else failure.node.key
        groups.setdefault((failure_place(failure), type(failure.__cause__), failure.hint, own), []).append(failure)
    return list(groups.values())


def _explain(err: Console, failure: NodeFailed, others: int) -> None:
    show_failure(err, failure, others)
    if isinstance(cause := failure.__cause__, Crashed) and cause.trace:
        path = _write_log(cause)
        err.print(f"  the whole error stands in {path}", highlight=False, soft_wrap=True)


def _show_scores(study: api.Study, out: Console, *, failed: bool = False) -> None:
    from xfer.render.table import show_results

    rows, missing = api.rows(study)
    show_results(out, rows, missing, failed=failed)


@main.command()
@common
@click.argument("more", nargs=-1, type=Path, metavar="[SPEC]...")
@click.option("--csv", "form", flag_value="csv", help="One row a score, as CSV.")
@click.option("--json", "form", flag_value="json", help="One record a score, as JSON.")
@click.option("--parquet", type=Path, metavar="FILE", help="One row a score, into a Parquet file.")
def results(spec: Path, *, more: tuple[Path, ...], form: str | None, parquet: Path | None, **places: Any) -> int:  # noqa: ANN401
    """Show the scores of SPEC that are there; of several, together. Runs nothing."""
    out, err = consoles()
    if form is not None and parquet is not None:
        raise UsageError(f"`--{form}` and `--parquet` are two forms of one thing", "leave one of them out")
    studies = [api.compile(path, Options(**places)) for path in (spec, *more)]
    for study in studies:
        if study.compiled.plan is None:
            show_diagnostics(err, study.compiled.diagnostics)
            return exits.USAGE
    if form is None and parquet is None:
        for study in studies:
            if more:
                out.print(str(study.path), style="bold", highlight=False, soft_wrap=True)
            _show_scores(study, out)
        return exits.OK
    _write_scores(studies, form, parquet, err)
    return exits.OK


def _write_scores(studies: Sequence[api.Study], form: str | None, parquet: Path | None, err: Console) -> None:
    from xfer.records import as_csv, as_json, write_parquet

    found = [api.rows(study) for study in studies]
    rows, missing = [row for some, _ in found for row in some], sum(number for _, number in found)
    several = len(studies) > 1
    named = [str(study.path) for study, (some, _) in zip(studies, found, strict=True) for _ in some if several]
    if parquet is not None:
        write_parquet(rows, parquet, named)
        err.print(f"{counted(len(rows), 'score')} in {parquet}, {missing:,} missing", highlight=False, soft_wrap=True)
        return
    click.echo(as_csv(rows, named) if form == "csv" else as_json(rows, missing, named), nl=form == "json")


@main.command()
@click.option("--store", type=Path, help="The store whose runs are listed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
@click.argument("spec", type=Path, required=False)
def runs(spec: Path | None, *, store: Path | None, as_json: bool) -> int:
    """List the runs of the store, the latest first; with SPEC, of that spec alone."""
    from xfer.render.runs import runs_document, show_runs

    out, _ = consoles()
    found = api.runs(spec, store)
    if as_json:
        click.echo(json.dumps(runs_document(found), indent=1))
    else:
        show_runs(out, found)
    return exits.OK


@main.command()
@click.option("--store", type=Path, help="The store that the run works in.")
@click.argument("run", required=False)
def watch(run: str | None, *, store: Path | None) -> int:
    """Follow RUN (default: the latest) as it happens, from any terminal that sees the store."""
    from xfer.render.runs import follow

    _, err = consoles()
    return follow(err, api.find_run(run, store))


@main.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; name what would change, and exit 1 if any.")
@click.option("--diff", "as_diff", is_flag=True, help="Change nothing; show what would change as a unified diff.")
@click.argument("specs", nargs=-1, required=True, type=Path, metavar="SPEC...")
def fmt(specs: tuple[Path, ...], *, only_check: bool, as_diff: bool) -> int:
    """Rewrite each SPEC in its canonical form; `-` is standard input, formatted to standard output."""
    _, err = consoles()
    codes = [_format(spec, err, only_check=only_check, as_diff=as_diff) for spec in specs]
    return max(codes)


def _format(spec: Path, err: Console, *, only_check: bool, as_diff: bool) -> int:
    """One file of `fmt`; what is wrong with it keeps no other from being formatted."""
    from xfer import formatting

    try:
        formatted = formatting.read(spec)
        if formatted.text is None:
            show_diagnostics(err, formatted.diagnostics)
            return exits.USAGE
        if as_diff:
            put(formatting.diff(formatted))
        elif only_check and formatted.changed:
            click.echo(f"{formatted.source.name} would change")
        elif spec == formatting.STDIN and not only_check:
            put(formatted.text)
        elif formatted.changed and not only_check:
            formatting.write(formatted)
            click.echo(f"{spec} changed")
    except XferError as error:
        return _show(err, error)
    return exits.ERROR if only_check and formatted.changed else exits.OK


for _command in (*reference.COMMANDS, *previewing.COMMANDS, *concluding.COMMANDS, inspecting.data):
    main.add_command(_command)


def entry() -> None:
    """The console script."""
    gc.set_threshold(100_000, 20, 20)  # plans are large and have no circles: looking for these took a fifth of the time
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our signs shows `?`
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code. Nothing but a bug of ours leaves a traceback, and that in a log."""
    _, err = consoles()
    try:
        code = main.main(args=list(arguments), prog_name="xfer", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return exits.USAGE
    except (click.Abort, KeyboardInterrupt):
        err.print("interrupted; what was finished is kept: the same command goes on", highlight=False)
        return exits.INTERRUPTED
    except XferError as error:
        return _show(err, error)
    except (BrokenPipeError, SystemExit):  # rich's way of saying that nobody reads on, as in `| head`
        return exits.OK
    except Exception as error:  # noqa: BLE001  (a bug of ours: said, logged, and told apart by its code)
        if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT:
            return _show(err, XferError(f"the output cannot be written: {(error.strerror or str(error)).lower()}"))
        return _show_bug(err, error)
    return code if isinstance(code, int) else exits.OK


def _show(err: Console, error: XferError) -> int:
    if isinstance(error, NotTextError):
        show_diagnostics(err, [error.diagnostic])
        return exits.USAGE
    place = None
    if isinstance(error, UnreachableInput):
        place = error.node.places.get("weights") or error.node.places.get("data") or error.node.place
    show_error(err, error, place)
    if isinstance(error, UsageError | api.SpecError):
        return exits.USAGE
    if isinstance(error, StalePlanError | OverBudgetError):
        return exits.STALE if isinstance(error, StalePlanError) else exits.BUDGET
    return exits.STORE if isinstance(error, StoreError) else exits.ERROR


def _show_bug(err: Console, error: Exception) -> int:
    path = _write_log(error)
    err.print(f"This is a bug in xfer: {type(error).__name__}: {error}", highlight=False, soft_wrap=True, markup=False)
    err.print(f"Report it with the spec and {path}. Finished work is kept.", highlight=False, soft_wrap=True)
    return exits.BUG


def _write_log(error: BaseException | None) -> Path:
    """The traceback in a file of its own."""
    descriptor, name = tempfile.mkstemp(prefix="xfer-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if isinstance(error, Crashed):
            file.write(error.trace)
        else:
            file.write("".join(traceback.format_exception(error)) if error else "")
    return Path(name)
