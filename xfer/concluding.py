"""Commands that say what the scores support: reports as tables, claims with verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from xfer import api, exits
from xfer.arguments import common, consoles, places, put
from xfer.opening import Options, UsageError
from xfer.render.messages import counted, say, show_what_matters
from xfer.replacing import replacing

if TYPE_CHECKING:
    from rich.console import Console

    from runtime.evidence.tables import Drawn
    from runtime.evidence.verdicts import Judged


@click.command()
@common
@click.argument("more", nargs=-1, type=Path, metavar="[SPEC]...")
@click.option("--title", metavar="WORDS", help="Only the reports whose titles hold WORDS.")
@click.option("--markdown", is_flag=True, help="Tables of Markdown.")
@click.option("--latex", is_flag=True, help="Tables of LaTeX (booktabs), for `\\input`.")
@click.option("--csv", is_flag=True, help="One row a number, as CSV.")
@click.option("--json", is_flag=True, help="One JSON document.")
@click.option("-o", "--output", type=Path, metavar="FILE", help="Into FILE; its suffix says the form.")
def report(
    spec: Path,
    *,
    more: tuple[Path, ...],
    title: str | None,
    output: Path | None,
    **where: Any,  # noqa: ANN401
) -> int:
    """Draw the reports of SPEC by the scores that are there, with intervals; of several, together. Runs nothing."""
    out, err = consoles()
    form = _form({name for name in FORMS if where.pop(name)}, output)
    studies = [api.compile(path, Options(**where)) for path in (spec, *more)]
    for study in studies:
        show_what_matters(err, study.compiled.diagnostics)
    if any(study.compiled.plan is None for study in studies):
        return exits.USAGE
    for study in studies:
        _say_no_store(err, study)
    drawn = _drawn(studies, title)
    if form is None:
        from xfer.render.reports import show_sheet
        from xfer.render.sheets import sheets

        for one in sheets(drawn):
            show_sheet(out, one)
        return exits.OK
    text = FORMS[form](drawn)
    if output is None:
        put(text)
    else:
        _write(output, text)
        err.print(f"{counted(len(drawn), 'report')} in {output}", highlight=False, soft_wrap=True)
    return exits.OK


def _say_no_store(err: Console, study: api.Study) -> None:
    if not study.store_root.exists():
        told = f"there is no store `{study.store_root}` yet: `xfer run` makes it, `--store DIR` names another"
        say(err, Text(told, "yellow"))


def _drawn(studies: Sequence[api.Study], title: str | None) -> list[Drawn]:
    """The reports of all, some of which there must be."""
    found = [one for study in studies for one in api.reports(study, title)]
    if found:
        return found
    paths = ", ".join(f"`{study.path}`" for study in studies)
    known = [f"`{one.title}`" for study in studies for one in study.plan.reports]
    if title is not None and known:
        raise UsageError(f"{paths} has no report with `{title}` in its title", f"there is {', '.join(known)}")
    label = studies[0].options.experiment
    whose = f" of `{label}` alone" if label is not None else ""
    hint = 'write one: `report "TITLE" { rows: AXIS, columns: language }`'
    raise UsageError(f"{paths} has no report{whose}", hint if label is None else "leave the label out")


def _form(said: set[str], output: Path | None) -> str | None:
    """The form that is asked for, or the one of the file's suffix; None for the terminal."""
    if len(said) > 1:
        forms = " and ".join(f"`--{name}`" for name in sorted(said))
        raise UsageError(f"{forms}: a report has one form at a time", "ask for each by itself, into a file with `-o`")
    known = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".json": "json"}
    if said and output is not None and known.get(output.suffix, *said) not in said:
        message = f"`--{next(iter(said))}` is not the form of `{output}`"
        raise UsageError(message, f"leave it out, or write into another file than `{output.suffix}`")
    if said or output is None:
        return next(iter(said), None)
    if output.suffix not in known:
        hint = f"`{output.stem}.md`, or say the form: `--latex`"
        raise UsageError(f"`{output}` does not say in which form: {', '.join(known)}", hint)
    return known[output.suffix]


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as half:
            half.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from error


def _markdown(drawn: Sequence[Drawn]) -> str:
    from xfer.render.reports import markdown
    from xfer.render.sheets import sheets

    return "\n".join(map(markdown, sheets(drawn)))


def _latex(drawn: Sequence[Drawn]) -> str:
    from xfer.render.latex import latex
    from xfer.render.sheets import sheets

    return "\n".join(map(latex, sheets(drawn)))


def _csv(drawn: Sequence[Drawn]) -> str:
    from xfer.tabled import reports_csv

    return reports_csv(drawn)


def _json(drawn: Sequence[Drawn]) -> str:
    from xfer.tabled import reports_json

    return reports_json(drawn)


FORMS: Mapping[str, Callable[[Sequence[Drawn]], str]] = {
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "json": _json,
}


@click.command()
@common
@click.option("--full", is_flag=True, help="Every comparison of a claim.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with the bootstrap beside.")
def verify(spec: Path, *, full: bool, as_json: bool, **where: Any) -> int:  # noqa: ANN401
    """Say which claims of SPEC its scores support, refute, or leave undecided. Runs nothing.

    Exit 0: all as expected, 1: one is contrary, 3: one is undecided and was not expected to be.
    """
    out, err = consoles()
    study = api.compile(spec, Options(**where))
    show_what_matters(err, study.compiled.diagnostics)
    if study.compiled.plan is None:
        return exits.USAGE
    _say_no_store(err, study)
    judged = api.verdicts(study)
    if not judged and study.plan.claimed:
        raise UsageError(f"no claim of `{study.path}` is of `{study.options.experiment}` alone", "leave the label out")
    if not judged:
        raise UsageError(f"`{spec}` claims nothing", 'write a claim: `claim "TITLE": gain(LABEL[AXIS: VALUE]) > 0`')
    if as_json:
        from xfer.tabled import verdicts_json

        put(verdicts_json(judged))
    else:
        from xfer.render.claims import show_verdicts

        show_verdicts(out, judged, study.plan.claimed, full=full)
    return _code(judged)


def _code(judged: Sequence[Judged]) -> int:
    from runtime.evidence.verdicts import UNDECIDED

    surprises = {one.verdict for one in judged if not one.is_expected}
    if surprises - {UNDECIDED}:
        return exits.ERROR
    return exits.WORK if surprises else exits.OK


@click.command()
@common
@click.argument("title")
@click.argument("address", nargs=-1, metavar="[AXIS=VALUE]...")
@click.option("--source", is_flag=True, help="The number in the source language, where that stands apart.")
@click.option("--full", is_flag=True, help="Every score and every node.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def trace(
    spec: Path,
    *,
    title: str,
    address: tuple[str, ...],
    source: bool,
    full: bool,
    as_json: bool,
    **where: Any,  # noqa: ANN401
) -> int:
    """Trace a number of a report or claim of SPEC, by TITLE and values of axes, to all that it rests on.

    Scores, predictions, weights, data, and the lines of the spec.
    """
    from xfer.render.tracing import show_trace, trace_document
    from xfer.tracing import trace as find

    out, err = consoles()
    study = api.compile(spec, Options(**where))
    if study.compiled.plan is None:
        show_what_matters(err, study.compiled.diagnostics)
        return exits.USAGE
    found = find(study, title, address, source=source)
    if as_json:
        put(trace_document(found))
    else:
        show_trace(out, found, full=full)
    return exits.OK


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@places
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def compare(first: str, second: str, *, as_json: bool, **where: Any) -> int:  # noqa: ANN401
    """Compare the scores of two runs, question by question, with paired tests. Runs nothing.

    RUN is the name of a run (`xfer runs`), or a spec, also SPEC::LABEL or REVISION:SPEC.

    Exit 0: something is compared, 3: one of the two has no scores yet, 1: they have no question in common.
    """
    from runtime.evidence.comparing import compare as pair
    from xfer.render.pairings import is_empty, pairs_document, show_pairs
    from xfer.sides import side

    out, err = consoles()
    try:
        sides = [side(address, where) for address in (first, second)]
    except api.SpecError as error:
        show_what_matters(err, error.compiled.diagnostics)
        return exits.USAGE
    compared = pair(sides[0].evidence, sides[1].evidence)
    titles = (sides[0].title, sides[1].title)
    if as_json:
        put(pairs_document(titles, compared, LEVEL))
    else:
        show_pairs(out, titles, compared, LEVEL)
    if compared.pairs:
        return exits.OK
    return exits.WORK if any(is_empty(compared)) else exits.ERROR


LEVEL = 0.95
COMMANDS: Sequence[click.Command] = (report, verify, trace, compare)
