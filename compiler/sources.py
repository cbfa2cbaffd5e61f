"""Where models and rows come from, as a spec writes it: `hf(…)`, `files(…)`, `dir(…)`, `world(…)` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from compiler import codes
from compiler.arguments import Arguments
from compiler.catalog import ARCHITECTURES, FORMATS, SPLITS, SYNONYMS, TABLES, Interval
from compiler.embedded import WORLD_PARAMETERS, WORLD_TASKS
from compiler.pairs import SIDES, sides
from compiler.suggest import did_you_mean, listing
from compiler.writing import describe
from dsl.syntax import Call, ListValue, Record, String, Value, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compiler.bag import Bag
    from dsl.source import Span


class FolderModel(Struct, frozen=True):
    """`dir("models/me5-small")`, or `embedded("babel-mini")` when `embedded`."""

    path: str
    embedded: bool
    span: Span


class ScratchModel(Struct, frozen=True):
    """`scratch(layers: 2, width: 64, heads: 4, tokenizer: embedded("babel-mini"), seed: 1)`"""

    architecture: str
    layers: int
    width: int
    heads: int
    feedforward: int
    positions: int
    dropout: float
    seed: int
    tokenizer: FolderModel
    span: Span


class Repository(Struct, frozen=True):
    """`hf("FacebookAI/xlm-roberta-large", revision: "…")`"""

    name: str
    revision: str | None
    span: Span


ModelSource = FolderModel | ScratchModel | Repository


class FilesData(Struct, frozen=True):
    """`files("…/{{ split }}.jsonl")` or `files({train: "…", test: "…"})`; `patterns` has "" for one pattern of all."""

    patterns: Mapping[str, str]
    format: str
    columns: tuple[str, ...]
    span: Span


class WorldData(Struct, frozen=True):
    """`world(text, seed: 100, cognates: 0, mixed: 15%, low-resource: 50%)`; None is what the task does not have."""

    task: str
    seed: int
    cognates: float
    mixed: float | None
    low_resource: float | None
    side: str | None  # of a pair of languages: the one that the rows are in
    span: Span

    def of(self, language: str) -> str:
        """The language of the rows, of a pair the side that is said; a pair stays one where none is."""
        both = sides(language)
        return both[SIDES.index(self.side)] if self.side is not None and len(both) == len(SIDES) else language


class HubData(Struct, frozen=True):
    """`hf("aps/super_glue", config: "copa", splits: {dev: "validation"})`, or `hf("…", files: "…/{{ split }}.jsonl")`.

    `files` are patterns as those of `FilesData`, of names in the repository; none where its configurations are read.
    """

    name: str
    config: str | None
    revision: str | None
    splits: Mapping[str, str]
    span: Span
    files: Mapping[str, str] = {}
    format: str = ""
    columns: tuple[str, ...] = ()

    def pattern(self, split: str) -> str | None:
        """That of the files of a split; None of a repository that is read by its configurations."""
        return self.files.get("", self.files.get(split)) if self.files else None


class PythonData(Struct, frozen=True):
    """`python("module:function", version: 1)`"""

    module: str
    function: str
    version: int
    span: Span


DataSource = FilesData | WorldData | HubData | PythonData


# --- models ---------------------------------------------------------------------------------------------------------

_MODEL_CALLS = ("hf", "dir", "scratch", "embedded")


def read_weights(value: Value, bag: Bag) -> ModelSource | None:
    """What stands behind `weights:`, or None after findings."""
    if not isinstance(value, Call) or value.function.text not in _MODEL_CALLS:
        span = value.function.span if isinstance(value, Call) else value.span
        forms = '`hf("…")`, `dir("…")`, `scratch(…)` or `embedded("…")`'
        bag.error(codes.WRONG_VALUE, span, f"`weights` is {describe(value)} but must be {forms}")
        return None
    arguments = Arguments(value, bag)
    source: ModelSource | None
    match value.function.text:
        case "hf":
            name = arguments.text(None, "the repository's id in quotes")
            source = Repository(name or "", arguments.commit("revision"), value.span)
        case "scratch":
            source = _scratch(arguments)
        case _:
            source = _folder(arguments)
    return source if arguments.done() else None


def _folder(arguments: Arguments) -> FolderModel:
    path = arguments.text(None, "one name in quotes") or ""
    return FolderModel(path, arguments.call.function.text == "embedded", arguments.call.span)


def _scratch(arguments: Arguments) -> ScratchModel | None:
    call = arguments.call
    architecture = arguments.text("architecture", "a name", "xlm-roberta") or ""
    if architecture not in ARCHITECTURES:
        hint = did_you_mean(architecture, ARCHITECTURES)
        arguments.error(codes.WRONG_VALUE, call.span, f"there is no architecture `{architecture}` here", hint)
    tokenizer = arguments.value("tokenizer")
    inner: FolderModel | None = None
    if isinstance(tokenizer, Call) and tokenizer.function.text in ("dir", "embedded"):
        inner_arguments = Arguments(tokenizer, arguments.bag)
        inner = _folder(inner_arguments)
        arguments.failed |= not inner_arguments.done()
    else:
        hint = 'for example `tokenizer: embedded("babel-mini")` or `dir("models/mine")`'
        span = tokenizer.span if tokenizer is not None else call.span
        arguments.error(codes.MISSING_KEY, span, "`scratch(…)` needs a `tokenizer` from a folder", hint)
    width = arguments.number("width", None)
    heads = arguments.number("heads", None)
    if not arguments.failed and width % heads:
        arguments.error(codes.WRONG_VALUE, call.span, f"`width` {width} is no multiple of `heads` {heads}")
    layers = arguments.number("layers", None)
    feedforward = arguments.number("feedforward", 4 * width)
    positions = arguments.number("positions", 512, 8)
    dropout = arguments.real("dropout", 0.1, Interval(0, 1, open_high=True))
    seed = arguments.number("seed", 1, 0)
    if inner is None:
        return None
    return ScratchModel(architecture, layers, width, heads, feedforward, positions, dropout, seed, inner, call.span)


# --- data -----------------------------------------------------------------------------------------------------------

_DATA_FORMS = '`files("…")`, `hf("…")`, `world(…)` or `python("…")`'


def read_source(value: Value, bag: Bag) -> DataSource | None:
    """One source, or None after findings."""
    if not isinstance(value, Call):
        bag.error(codes.WRONG_VALUE, value.span, f"`data` is {describe(value)} but must be {_DATA_FORMS}")
        return None
    arguments = Arguments(value, bag)
    source: DataSource | None
    match value.function.text:
        case "files":
            source = _files(arguments)
        case "hf":
            source = _hub(arguments)
        case "world":
            source = _world(arguments)
        case "python":
            source = _python(arguments)
        case name:
            bag.error(codes.WRONG_VALUE, value.function.span, f"`{name}(…)` is no source: it must be {_DATA_FORMS}")
            return None
    return source if arguments.done() and source is not None else None


def _files(arguments: Arguments) -> FilesData | None:
    splits = [key for key in arguments.named if key not in ("columns", "format")]
    if not arguments.positional and splits:  # one mistake: the braces around them are missing
        hint = f"write braces around it: `files({{ {splits[0]}: … }})`"
        message = "`files(…)` takes a pattern, or a record of them"
        arguments.error(codes.WRONG_VALUE, arguments.call.span, message, hint)
        arguments.named.clear()
        return None
    value = arguments.first("a pattern, or a record of them")
    if value is None:
        return None
    patterns = _patterns("files(…)", value, arguments)
    format_, names = _table(arguments, patterns)
    return FilesData(patterns, format_, names, arguments.call.span)


def _patterns(what: str, value: Value, arguments: Arguments) -> dict[str, str]:
    """Patterns by split, with "" for one of all."""
    match value:
        case String(value=text):
            return {"": text}
        case Record(pairs=pairs):
            if not pairs:
                arguments.error(codes.WRONG_VALUE, value.span, f"`{what}` names no file")
            return _split_names(value, arguments)
    message = f"`{what}` takes a pattern in quotes or a record of them, not {describe(value)}"
    arguments.error(codes.WRONG_VALUE, value.span, message)
    return {}


def _table(arguments: Arguments, patterns: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The format of files, and the names of their columns where these are said."""
    columns = arguments.value("columns")
    names: tuple[str, ...] = ()
    match columns:
        case None:
            pass
        case ListValue(items=items) if items and all(isinstance(i, String | Word) for i in items):
            names = tuple(i.value if isinstance(i, String) else i.span.text for i in items)
        case _:
            message = f"`columns` is {describe(columns)} but must be a list of names such as `[id, text]`"
            arguments.error(codes.WRONG_VALUE, columns.span, message)
    format_ = _format(arguments, patterns)
    if names and columns is not None and format_ and format_ not in TABLES:
        message = f"`columns` names the columns of a table, and the format is `{format_}`"
        arguments.error(codes.WRONG_VALUE, columns.span, message, "take it out")
    return format_, names


def _format(arguments: Arguments, patterns: Mapping[str, str]) -> str:
    """As `format:` says, else as the file's name ends."""
    stated = arguments.text("format", "a word")
    if stated is not None and stated in FORMATS:
        return stated
    if stated is not None:
        hint = did_you_mean(stated, FORMATS)
        arguments.error(codes.WRONG_VALUE, arguments.call.span, f"there is no format `{stated}`", hint)
        return ""
    found = {f for p in patterns.values() for f, suffix in FORMATS.items() if suffix and p.endswith(suffix)}
    if len(found) == 1:
        return found.pop()
    if arguments.failed:
        return ""  # there may be no name to tell from
    hint = f"say it: `format: jsonl`; there is {', '.join(FORMATS)}"
    arguments.error(codes.MISSING_KEY, arguments.call.span, "the files' names do not tell their format", hint)
    return ""


def _split_names(record: Record, arguments: Arguments) -> dict[str, str]:
    """`{train: "…", dev: "…"}` by split."""
    names: dict[str, str] = {}
    for pair in record.pairs:
        split = pair.key.text
        if split not in SPLITS:
            hint = f"it is called `{SYNONYMS[split]}` here" if split in SYNONYMS else did_you_mean(split, SPLITS)
            arguments.error(codes.UNKNOWN_KEY, pair.key.span, f"there is no split `{split}`", hint)
        elif isinstance(pair.value, String):
            names[split] = pair.value.value
        else:
            arguments.error(codes.WRONG_VALUE, pair.value.span, f"`{split}` is {describe(pair.value)}, not a text")
    return names


def _hub(arguments: Arguments) -> HubData:
    name = arguments.text(None, "the repository's id in quotes") or ""
    config = arguments.text("config", "a text in quotes")
    revision = arguments.commit("revision")
    splits = arguments.value("splits")
    names = {"train": "train", "dev": "validation", "test": "test"}
    if isinstance(splits, Record):
        names = _split_names(splits, arguments)
    elif splits is not None:
        message = f"`splits` is {describe(splits)}, not a record"
        arguments.error(codes.WRONG_VALUE, splits.span, message)
    if (files := arguments.value("files")) is None:
        return HubData(name, config, revision, names, arguments.call.span)
    if config is not None or splits is not None:
        message = "`files` says which files are read, and so leaves no `config` or `splits` to say"
        arguments.error(codes.WRONG_VALUE, files.span, message, "take one of them out")
    patterns = _patterns("files", files, arguments)
    format_, columns = _table(arguments, patterns)
    return HubData(name, None, revision, names, arguments.call.span, patterns, format_, columns)


def _world(arguments: Arguments) -> WorldData:
    value = arguments.first("the name of a task of the world")
    task = value.text if isinstance(value, Word) else value.value if isinstance(value, String) else ""
    if value is not None and task not in WORLD_TASKS:
        hint = did_you_mean(task, WORLD_TASKS)
        arguments.error(codes.WRONG_VALUE, value.span, f"the world has no `{value.span.text}`", hint)
    seed = arguments.number("seed", int(WORLD_PARAMETERS["seed"].default), 0)
    rule = WORLD_PARAMETERS["cognates"]
    cognates = arguments.real("cognates", rule.default, rule.values)
    mixed, low_resource = (_world_share(key, task, arguments) for key in ("mixed", "low-resource"))
    return WorldData(task, seed, cognates, mixed, low_resource, _side(arguments), arguments.call.span)


def _side(arguments: Arguments) -> str | None:
    match arguments.value("language"):
        case None:
            return None
        case Word(text=text) if text in SIDES:
            return text
        case value:
            message = f"`language` is {describe(value)} but must be `first` or `second`, a side of a pair"
            arguments.error(codes.WRONG_VALUE, value.span, message)
    return None


def _world_share(key: str, task: str, arguments: Arguments) -> float | None:
    """A share that some tasks have; None of a task that has none, whatever its default: equal rows are one key."""
    rule = WORLD_PARAMETERS[key]
    if task in WORLD_TASKS and task not in rule.tasks:
        arguments.refuse(key, f"the world's `{task}`", f"only {listing(rule.tasks)} has it")
        return None
    return arguments.real(key, rule.default, rule.values)


def _python(arguments: Arguments) -> PythonData:
    text = arguments.text(None, '`"module:function"`') or ""
    module, colon, function = text.partition(":")
    if not (colon and all(part.isidentifier() for part in module.split(".")) and function.isidentifier()):
        message = f'`python(…)` takes `"module:function"`, not `"{text}"`'
        arguments.error(codes.WRONG_VALUE, arguments.call.span, message)
    return PythonData(module, function, arguments.number("version", 1, 0), arguments.call.span)
