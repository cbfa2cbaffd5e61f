"""`xfer data`: what a task's data hold, as the model sees them, before anything trains on them."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from compiler.ops import Data, Folder, Model
from compiler.suggest import language_hint
from dsl.diagnostics import Severity
from xfer import api, exits
from xfer.arguments import common, consoles
from xfer.opening import Options, UsageError
from xfer.render.messages import show_diagnostics
from xfer.running import Say, check_reachable, local_files

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from compiler.plan import Node, Plan
    from runtime.surveys import Survey
    from runtime.suspicions import Suspicion

MOST = 20_000  # rows of a data set that are looked at unless said


class Looked(Struct, frozen=True):
    """What was found in the data of a task: of all its languages, and which of them were asked for."""

    surveys: Sequence[Survey]
    suspected: Sequence[Suspicion]
    asked: frozenset[str]  # languages
    copies: tuple[tuple[str, str], ...] = ()  # data sets that are the same files as another, which is shown

    @property
    def shown(self) -> list[Survey]:
        """Those in the languages that were asked for."""
        return [s for s in self.surveys if s.language in self.asked]

    def of(self, survey: Survey) -> list[Suspicion]:
        """What is suspicious about one."""
        return [s for s in self.suspected if s.survey == survey.name]


@click.command()
@common
@click.argument("name", metavar="NAME[LANGUAGES]")
@click.option("--split", "splits", multiple=True, type=click.Choice(("train", "dev", "test")), help="One split alone.")
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    metavar="N",
    help="How many rows of each are shown whole.",
)
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=MOST,
    show_default=True,
    metavar="N",
    help="How many rows of each are looked at.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the screen.")
@click.option("--allow-code", is_flag=True, help="As `run --allow-code`: `python(…)` sources may run.")
def data(
    spec: Path,
    name: str,
    *,
    splits: tuple[str, ...],
    examples: int,
    rows: int,
    as_json: bool,
    allow_code: bool,
    **places: Any,  # noqa: ANN401
) -> int:
    """Show the data of NAME as the chains of SPEC read them: examples, labels, lengths, faults.

    LANGUAGES by their codes, `[th, tr]`, or all, `[*]`. All rows count, whatever `limit` a chain sets. Nothing is
    trained, and nothing is stored.
    """
    from xfer.render.data import document, show_data

    out, err = consoles()
    task, asked = _named(name)
    study = api.compile(spec, Options(**places, look=task), run=True)
    show_diagnostics(err, study.compiled.diagnostics)
    if study.compiled.plan is None:
        return exits.USAGE
    looked = look(study, task, asked, splits=splits, examples=examples, rows=rows, allow_code=allow_code)
    if as_json:
        click.echo(json.dumps(document(looked), indent=1, ensure_ascii=False, default=str))
    else:
        show_data(out, looked)
    broken = any(d.severity is Severity.ERROR for d in study.compiled.diagnostics)
    return exits.ERROR if broken or any(s.unreadable for s in looked.shown) else exits.OK


def _named(text: str) -> tuple[str, tuple[str, ...]]:
    """The task and the languages of `NAME[a, b]`; none for all."""
    found = re.fullmatch(r"([^\[\]]+)(?:\[([^\[\]]*)\])?", text)
    if found is None:
        raise UsageError(f"`{text}` is no task", "write `NAME`, `NAME[th]` or `NAME[th, tr]`")
    codes = tuple(code.strip() for code in (found[2] or "*").split(","))
    return found[1], () if "*" in codes else codes


def look(
    study: api.Study,
    task: str,
    asked: tuple[str, ...],
    *,
    splits: tuple[str, ...] = (),
    examples: int = 2,
    rows: int = MOST,
    allow_code: bool = False,
    say: Say = lambda _: None,
) -> Looked:
    """What there is to say of the data of a task. Raises UsageError for a task or a language that is not there."""
    from runtime.surveys import survey
    from runtime.suspicions import suspicions

    plan = _plan(study, task)
    check_reachable(plan, plan.nodes, allow_code=allow_code)
    read = {_data_name(n.label) for n in study.plan.nodes if isinstance(n.op, Data)}
    nodes, copies = _without_copies(plan.nodes, read)
    plan = local_files(plan, nodes, say)
    tokenizer = _tokenizer(plan)
    found = [
        survey(_task_of(node.label), node.op, tokenizer, plan.files, most=rows, shown=examples, allow_code=allow_code)
        for node in nodes
        if isinstance(node.op, Data)
    ]
    own = [s for s in found if s.task == task and s.split in (splits or (s.split,))]
    there = [n.op for n in plan.nodes if isinstance(n.op, Data) and _task_of(n.label) == task]
    languages = dict.fromkeys(op.language for op in there if op.split in (splits or (op.split,)))
    if missing := [code for code in asked if code not in languages]:
        hint = language_hint(missing[0], languages) if languages else "no file of it was found"
        raise UsageError(f"`{task}` has no language `{missing[0]}` here", hint)
    same = tuple(pair for pair in copies if pair[0].startswith(f"{task} "))
    return Looked(own, suspicions(own, [s for s in found if s.task != task]), frozenset(asked or languages), same)


def _plan(study: api.Study, task: str) -> Plan:
    found = study.compiled.looked
    if found is not None and any(isinstance(node.op, Data) for node in found.nodes):
        return found
    read = sorted({_task_of(n.label) for n in study.plan.nodes if isinstance(n.op, Data)})
    message = f"no chain of `{study.path}` reads the data of `{task}`"
    raise UsageError(message, f"they read {', '.join(f'`{name}`' for name in read)}" if read else None)


def _without_copies(nodes: Sequence[Node], read: Collection[str]) -> tuple[list[Node], list[tuple[str, str]]]:
    """The nodes, of splits that are the same files the one that a chain reads, else the first; and what is left out."""
    kept: dict[object, Node] = {}
    for node in nodes:
        what = (_task_of(node.label), node.op.language, node.op.sources) if isinstance(node.op, Data) else node.key
        if what not in kept or (_data_name(node.label) in read and _data_name(kept[what].label) not in read):
            kept[what] = node
    stay = {node.key for node in kept.values()}
    return list(kept.values()), [
        (_data_name(node.label), _data_name(kept[_task_of(node.label), node.op.language, node.op.sources].label))
        for node in nodes
        if node.key not in stay and isinstance(node.op, Data)
    ]


def _data_name(label: str) -> str:
    """The task, split and language of a data node, without what else tells it apart."""
    return " ".join(label.split()[1:3])


def _task_of(label: str) -> str:
    """The task of a data node."""
    return label.split()[1]


def _tokenizer(plan: Plan) -> Any:  # noqa: ANN401
    from runtime.models import load_tokenizer

    model = next(node.op for node in plan.nodes if isinstance(node.op, Model))
    if not isinstance(model.source, Folder):
        raise TypeError(model.source)
    with tempfile.TemporaryDirectory() as folder:
        for file, digest in model.source.files:
            shutil.copyfile(plan.files[str(digest)], Path(folder) / file)
        return load_tokenizer(Path(folder))
