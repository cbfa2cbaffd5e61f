"""How a task's rows are read: from which sources, joined and kept how, and turned into which fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.catalog import READING_KEYS, Kind
from compiler.resolve import Merged, own_pairs
from compiler.sources import DataSource, read_source
from compiler.suggest import closest, did_you_mean, language_hint
from compiler.templates import bare_names, check_template, is_expression, may_name
from compiler.writing import describe
from dsl.syntax import ListValue, Pair, Record, String, Value, Word

if TYPE_CHECKING:
    from compiler.bag import Bag
    from dsl.source import Span


_APART = "[]"  # behind the name of a declaration: what it says in its `per-language`
_Owned = tuple[Pair, str]  # with the name of the declaration that wrote it


class Field(Struct, frozen=True):
    """One field of `input:`: a template, or one for each item of a list."""

    name: str
    template: str | tuple[str, ...]
    span: Span


class Written(Struct, frozen=True):
    """A text of a spec and where it stands."""

    text: str
    span: Span


class Named(Struct, frozen=True):
    """A source with its name, "" for the one that needs none; the rows of its parts follow one another."""

    name: str
    parts: tuple[DataSource, ...]


class Reading(Struct, frozen=True):
    """Sources to rows to fields."""

    data: tuple[Named, ...]
    join: Written | None
    filter: Written | None
    input: tuple[Field, ...]
    cluster: Field | None  # rows of which it is the same are one draw of items

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """Every source, whatever its name."""
        return tuple(part for named in self.data for part in named.parts)


def read_reading(merged: Merged, kind: Kind, bag: Bag) -> Reading | None:
    """How the declaration's rows are read, or None after findings."""
    data = _data(merged, bag)
    names = tuple(n.name for n in data or () if n.name)
    fields = _fields(merged, kind, names, bag)
    kept = _filter(merged, names, bag)
    if data is None or fields is None:
        return None
    cluster = _cluster(merged, kind, fields, names, bag)
    return Reading(data, _join(merged, names, bag), kept, fields, cluster)


def read_languages(merged: Merged, kind: Kind, languages: tuple[str, ...], bag: Bag) -> Mapping[str, Reading]:
    """What `per-language` makes of single languages: it merges last, over all that the declaration is."""
    found: dict[str, dict[str, tuple[_Owned, ...]]] = {}
    for language, value, owner in _by_language(merged, "per-language", languages, bag):
        if not isinstance(value, Record):
            message = f'`{language.key.text}` is {describe(value)} but must be a record such as `{{ filter: "…" }}`'
            bag.error(codes.WRONG_VALUE, value.span, message)
            continue
        pairs = found.setdefault(language.key.text, {})
        for key, pair in own_pairs(value, bag).items():
            if key in READING_KEYS:
                pairs[key] = (*pairs.get(key, ()), (pair, owner + _APART))
            else:
                allowed = ", ".join(f"`{k}`" for k in READING_KEYS)
                message = f"`per-language` changes how rows are read, and `{key}` is no part of that"
                bag.error(codes.UNKNOWN_KEY, pair.key.span, message, f"it may hold {allowed}")
    over = {c: {k: (*p, *merged.pairs.get(k, ())) for k, p in pairs.items()} for c, pairs in found.items()}
    read = {c: read_reading(replace(merged, pairs={**merged.pairs, **pairs}), kind, bag) for c, pairs in over.items()}
    return {c: reading for c, reading in read.items() if reading is not None}


def read_codes(merged: Merged, languages: tuple[str, ...], bag: Bag) -> Mapping[str, str]:
    """The data's own spellings of languages, where they are not the BCP 47 code."""
    found: dict[str, str] = {}
    for language, value, _ in _by_language(merged, "codes", languages, bag):
        match value:
            case Word(text=text) | String(value=text):
                found.setdefault(language.key.text, text)
            case _:
                message = f"`{language.key.text}` is {describe(value)} but must be a code, `{{ fr: fra }}`"
                bag.error(codes.WRONG_VALUE, value.span, message)
    return found


def _by_language(merged: Merged, key: str, languages: tuple[str, ...], bag: Bag) -> list[tuple[Pair, Value, str]]:
    """Each language and value of a record by languages, the nearest declaration's first.

    An ancestor may speak of languages that a benchmark does not have.
    """
    found: list[tuple[Pair, Value, str]] = []
    for pair, owner in merged.pairs.get(key, ()):
        if not isinstance(pair.value, Record):
            message = f"`{key}` is {describe(pair.value)} but must be a record by languages"
            bag.error(codes.WRONG_VALUE, pair.value.span, message)
            continue
        for code, language in own_pairs(pair.value, bag).items():
            if code in languages:
                found.append((language, language.value, owner))
            elif merged.holds(language.key.span):
                message = f"`{owner}` has no language `{code}`"
                bag.error(codes.NO_LANGUAGE, language.key.span, message, language_hint(code, languages))
    return found


# --- sources --------------------------------------------------------------------------------------------------------


def _data(merged: Merged, bag: Bag) -> tuple[Named, ...] | None:
    pair = merged.nearest("data")
    if pair is None and not merged.begins():
        return None
    if pair is None:
        name = merged.declaration.name
        hint = 'for example `data: files("data/{{ split }}.jsonl")`'
        bag.error(codes.MISSING_KEY, name.span, f"`{name.text}` has no `data`", hint)
        return None
    match pair.value:
        case Record(pairs=(_, *_)):
            named = [_named(key, source, bag) for key, source in own_pairs(pair.value, bag).items()]
            return None if None in named else tuple(n for n in named if n is not None)
        case value:
            parts = _parts(value, bag)
            return None if parts is None else (Named("", parts),)


def _named(name: str, pair: Pair, bag: Bag) -> Named | None:
    if not may_name(name):
        message = f"templates cannot call a source `{name}`"
        hint = "a name is letters, digits and `_`, and no word that templates have: `a`, `premises`"
        bag.error(codes.WRONG_VALUE, pair.key.span, message, hint)
        return None
    parts = _parts(pair.value, bag)
    return None if parts is None else Named(name, parts)


def _parts(value: Value, bag: Bag) -> tuple[DataSource, ...] | None:
    """One source, or a list of sources whose rows follow one another."""
    if isinstance(value, ListValue) and value.items:
        sources = [read_source(item, bag) for item in value.items]
        return None if None in sources else tuple(s for s in sources if s is not None)
    source = read_source(value, bag)
    return None if source is None else (source,)


def _join(merged: Merged, names: tuple[str, ...], bag: Bag) -> Written | None:
    pair = merged.nearest("join")
    match pair.value if pair else None:
        case None | Word(text="none"):
            return None
        case Word(text=text) | String(value=text) if names:
            return Written(text, pair.value.span) if pair else None
        case Word() | String() as value:
            message = "`join` says which column joins several sources, and `data` names none"
            bag.error(codes.WRONG_VALUE, value.span, message, "name them: `data: { a: files(…), b: files(…) }`")
        case value:
            message = f"`join` is {describe(value)} but must be the name of a column"
            bag.error(codes.WRONG_VALUE, value.span, message)
    return None


def _filter(merged: Merged, names: tuple[str, ...], bag: Bag) -> Written | None:
    pair = merged.nearest("filter")
    match pair.value if pair else None:
        case None | Word(text="none"):
            return None
        case String(value=text, span=span):
            if check_template(text, span, bag, names) and not is_expression(text):
                hint = "for example `filter: \"{{ lang == 'de' }}\"`"
                bag.error(codes.WRONG_VALUE, span, "`filter` must be one expression, `{{ … }}`, and is a text", hint)
            return Written(text, span)
        case value:
            message = f"`filter` is {describe(value)} but must be a template such as `\"{{{{ lang == 'de' }}}}\"`"
            bag.error(codes.WRONG_VALUE, value.span, message)
    return None


def _cluster(merged: Merged, kind: Kind, fields: tuple[Field, ...], names: tuple[str, ...], bag: Bag) -> Field | None:
    """What `cluster` says, else the field that the kind has for it."""
    pair = merged.nearest("cluster")
    match pair.value if pair else None:
        case None:
            return next((f for f in fields if f.name == kind.cluster), None)
        case Word(text="none"):
            return None
        case String(value=text, span=span) if "{" in text:
            check_template(text, span, bag, names)
            return Field("cluster", text, span)
        case value:
            message = f'`cluster` is {describe(value)} but must be a template such as `"{{{{ article }}}}"`, or `none`'
            bag.error(codes.WRONG_VALUE, value.span, message, "rows of which it is the same count as one draw")
    return None


# --- fields ---------------------------------------------------------------------------------------------------------


def _fields(merged: Merged, kind: Kind, names: tuple[str, ...], bag: Bag) -> tuple[Field, ...] | None:
    """The fields of `input:` in the kind's order; None after a finding."""
    written = _written(merged, bag)
    if written is None or not _inherits_right(merged, written, names, bag):
        return None
    for key, (field, _) in written.items():
        if key not in kind.fields:
            hint = did_you_mean(key, kind.fields)
            bag.error(codes.UNKNOWN_KEY, field.key.span, f"{kind.name} has no field `{key}`", hint)
    meant = {closest(key, kind.fields) for key in written if key not in kind.fields}  # told already
    missing = [f for f in kind.required if f not in written and f not in meant]
    if not missing and any(f not in written for f in kind.required):
        return None
    if missing and not merged.begins():
        return None
    if missing:
        name = merged.declaration.name
        fields = ", ".join(f"`{f}`" for f in missing)
        bag.error(codes.MISSING_KEY, name.span, f"the `input` of `{name.text}` lacks {fields}", _fields_hint(kind))
        return None
    return tuple(f for n in kind.fields if n in written and (f := _field(written[n][0], names, bag)) is not None)


def _written(merged: Merged, bag: Bag) -> dict[str, _Owned] | None:
    """Each field as the nearest declaration wrote it, and which did; None after a finding."""
    written: dict[str, _Owned] = {}
    for pair, owner in merged.pairs.get("input", ()):
        if not isinstance(pair.value, Record):
            message = f"`input` is {describe(pair.value)} but must be a record of fields and templates"
            bag.error(codes.WRONG_VALUE, pair.value.span, message)
            return None
        for key, field in own_pairs(pair.value, bag).items():
            written.setdefault(key, (field, owner))
    return written


def _inherits_right(merged: Merged, written: Mapping[str, _Owned], names: tuple[str, ...], bag: Bag) -> bool:
    """Whether templates that were written for other sources than the named ones say of which each column is."""
    if not names:
        return True
    data, namer = merged.pairs["data"][0]
    depth = _depth(data, namer, merged)
    inherited = [k for k, (f, owner) in written.items() if _depth(f, owner, merged) > depth and _bare(f.value, names)]
    if inherited:
        fields = ", ".join(f"`{key}`" for key in sorted(inherited))
        message = f"`data` names its sources, and the inherited templates of {fields} do not say of which a column is"
        hint = f'write them anew: `input: {{ {min(inherited)}: "{{{{ {names[0]}.column }}}}" }}`'
        bag.error(codes.BAD_TEMPLATE, data.key.span, message, hint)
    return not inherited


def _depth(pair: Pair, owner: str, merged: Merged) -> tuple[bool, int]:
    """How far from the nearest declaration something was written; `per-language` is nearer than any."""
    own = merged.holds(pair.key.span)  # an ancestor may have its name
    return not owner.endswith(_APART), 0 if own else merged.ancestry.index(owner.removesuffix(_APART), 1)


def _bare(value: Value, names: tuple[str, ...]) -> bool:
    """Whether a field's templates call something by a name that is no source."""
    texts = value.items if isinstance(value, ListValue) else (value,)
    return any(isinstance(t, String) and bare_names(t.value, names) for t in texts)


def _fields_hint(kind: Kind) -> str:
    optional = [f for f in kind.fields if f not in kind.required]
    also = f", and may have {', '.join(f'`{f}`' for f in optional)}" if optional else ""
    return f"{kind.name} needs {', '.join(f'`{f}`' for f in kind.required)}{also}"


def _field(pair: Pair, names: tuple[str, ...], bag: Bag) -> Field | None:
    name = pair.key.text
    match pair.value:
        case String(value=text):
            check_template(text, pair.value.span, bag, names)
            return Field(name, text, pair.value.span)
        case ListValue(items=items) if items and all(isinstance(i, String) for i in items):
            texts = [i for i in items if isinstance(i, String)]
            for item in texts:
                check_template(item.value, item.span, bag, names)
            return Field(name, tuple(i.value for i in texts), pair.value.span)
    message = (
        f'`{name}` is {describe(pair.value)} but must be a template such as `"{{{{ premise }}}}"`, or a list of them'
    )
    bag.error(codes.WRONG_VALUE, pair.value.span, message)
    return None
