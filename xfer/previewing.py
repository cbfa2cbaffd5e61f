"""Commands that look ahead: what a run would do, why, and what another spec would change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from xfer import api, exits
from xfer.arguments import common, consoles, locked_alone, places, put
from xfer.limits import is_over, show_limits
from xfer.opening import Options, UsageError
from xfer.render.messages import show_diagnostics
from xfer.replacing import replacing
from xfer.revisions import opened
from xfer.saving import check_pinned

if TYPE_CHECKING:
    from rich.console import Console

    from compiler.plan import Node, Plan
    from runtime.preview import Preview
    from xfer.render.costs import Cost


@click.command()
@common
@click.option("--on", metavar="[N*]DEVICE", help="Plan for N such GPUs, as `4*H100`, instead of this machine.")
@click.option("--tree", is_flag=True, help="Every line of the tree, nothing folded.")
@click.option("--full", is_flag=True, help="Every node, a line each.")
@click.option("--select", metavar="[+]PATTERN[+]", help="Only nodes whose label holds PATTERN; `+`: with all they read "
              "(before it), with all that reads them (behind it).")  # fmt: skip
@click.option("--json", "form", flag_value="json", help="One JSON document instead of the screen.")
@click.option("--mermaid", "form", flag_value="mermaid", help="A Mermaid flow chart.")
@click.option("--dot", "form", flag_value="dot", help="A graph in Graphviz' language.")
@click.option("-o", "--output", type=Path, metavar="FILE", help="Save the plan, for `xfer run FILE`.")
@locked_alone
@click.option("--allow-code", is_flag=True, help="As `run --allow-code`: `python(…)` sources block nothing.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 3 when there is work.")
def plan(
    spec: Path,
    *,
    locked: bool,
    on: str | None,
    tree: bool,
    full: bool,
    select: str | None,
    form: str | None,
    output: Path | None,
    allow_code: bool,
    detailed_exitcode: bool,
    **where: Any,  # noqa: ANN401
) -> int:
    """Preview what `run` would do: what runs, what is cached, and why not; and what it takes."""
    from xfer.choosing import choose
    from xfer.locking import check_locked
    from xfer.render.costs import Cost, free_room

    out, err = consoles()
    study = api.compile(spec, Options(**where, on=on))
    show_diagnostics(err, study.compiled.diagnostics)
    shown = study.compiled.plan or (study.compiled.refused if form is None and output is None else None)
    if shown is None:
        return exits.USAGE
    if locked:
        check_locked(shown)
    found = study.preview(shown, allow_code=allow_code)
    cost = Cost(study.estimate(found, shown), free_room(study.store_root))
    nodes = choose(shown, select) if select is not None else shown.nodes if full else None
    if output is not None:
        check_pinned(shown)
        _save(output, _document(study, _Shown(shown, found, cost, None)))
    if study.compiled.plan is None:
        out.print("What it will be once this version can run it:", highlight=False)
    _show(out, _Shown(shown, found, cost, nodes), study, form, tree=tree)
    if study.compiled.plan is None:
        return exits.USAGE
    work = exits.WORK if detailed_exitcode and found.to_run else exits.OK
    return exits.BUDGET if is_over(study.compiled.limits, cost.estimate) else work


class _Shown(Struct, frozen=True):
    """A plan with what is known of it, and those of its nodes that are asked for; None for no single ones."""

    plan: Plan
    preview: Preview
    cost: Cost
    nodes: Sequence[Node] | None


def _show(out: Console, shown: _Shown, study: api.Study, form: str | None, *, tree: bool) -> None:
    """The screen, or what another program reads."""
    from xfer.render import graphs
    from xfer.render.nodes import show_nodes
    from xfer.render.plan import in_all, show_plan, totals

    if form == "json":
        put(_document(study, shown))
    elif form is not None:
        drawn = graphs.folded(shown.plan, shown.preview)
        if shown.nodes is not None:
            drawn = graphs.of_nodes(shown.nodes, shown.preview)
        put(graphs.mermaid(drawn) if form == "mermaid" else graphs.dot(drawn))
    elif shown.nodes is not None:
        show_nodes(out, shown.nodes, shown.preview, shown.cost)
        out.print(f"Shown: {in_all(Counter(n.sort for n in shown.nodes))}", highlight=False, soft_wrap=True)
        out.print(totals(shown.plan, shown.preview), style="bold", highlight=False)
    else:
        show_plan(out, shown.plan, shown.preview, shown.cost, tree=tree)
        show_limits(out, study.compiled.limits, shown.cost.estimate)
        if study.compiled.plan is not None and study.plan.claims:
            from xfer.render.outlooks import show_outlooks

            show_outlooks(out, study.outlooks())


def _document(study: api.Study, shown: _Shown) -> str:
    from xfer.render.document import plan_document
    from xfer.saving import request

    found = plan_document(shown.plan, shown.preview, shown.cost, request(study), shown.nodes)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _save(path: Path, text: str) -> None:
    """The whole file or none."""
    try:
        with replacing(path) as half:
            half.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from error


@click.command()
@common
@click.argument("node")
def why(spec: Path, *, node: str, **where: Any) -> int:  # noqa: ANN401
    """Explain why NODE of SPEC runs, or does not. NODE: six or more digits of its key, or its label in `plan`."""
    from xfer.render.why import show_why

    out, err = consoles()
    study = api.compile(spec, Options(**where))
    if study.compiled.plan is None:
        show_diagnostics(err, study.compiled.diagnostics)
        return exits.USAGE
    show_why(out, api.why(study, node))
    return exits.OK


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@places
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def diff(old: str, new: str, *, as_json: bool, **where: Any) -> int:  # noqa: ANN401
    """Show what the plan of NEW does that the plan of OLD does not, and why: two specs, or `REVISION:SPEC` of one.

    Exit 0: the same work; 1: there are differences.
    """
    from runtime.comparing import compare
    from xfer.render.comparing import comparison_document, show_comparison

    out, err = consoles()
    plans = []
    for address in (old, new):
        with opened(address) as (spec, copy):
            allowed = (*where["allowed"], *([copy.parent, Path.cwd()] if copy is not None else []))
            study = api.compile(spec, Options(**{**where, "allowed": allowed}))
        show_diagnostics(err, study.compiled.diagnostics)
        if (found := study.compiled.plan or study.compiled.refused) is None:
            return exits.USAGE
        plans.append(found)
    compared = compare(*plans)
    if as_json:
        put(json.dumps(comparison_document(compared), indent=1, ensure_ascii=False) + "\n")
    else:
        show_comparison(out, compared)
    return exits.ERROR if compared.changed or compared.added or compared.removed else exits.OK


COMMANDS: Sequence[click.Command] = (diff, plan, why)
