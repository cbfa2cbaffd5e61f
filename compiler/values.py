"""Values of a spec, typed and in range, or a finding at their own span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from compiler import codes
from compiler.catalog import METHODS, SETTINGS, SLOT, SYNONYMS, UNTUNED, SettingRule
from compiler.methods import read_method
from compiler.mixes import MixRule, read_mix
from compiler.ops import Limit, Method, Perturbation
from compiler.perturbations import read_under
from compiler.selection import SelectRule, read_select
from compiler.suggest import did_you_mean, listing
from compiler.writing import describe
from dsl.diagnostics import Label
from dsl.source import Span
from dsl.syntax import Call, ListValue, Number, Pair, String, Value, ValueChoice, Word

if TYPE_CHECKING:
    from compiler.bag import Bag

Scalar = int | float | str | Limit | Method | MixRule | Perturbation | SelectRule | tuple[str, ...]


class Options(Struct, frozen=True):
    """A choice of values: its place in the text is an axis. Each option has the name that reports show.

    With `best` it is no axis: the stage that has it trains with each, and goes on from the best.
    """

    options: tuple[tuple[str, Scalar], ...]
    place: Span
    best: bool = False


class Given(Struct, frozen=True):
    """A settings key as somebody wrote it. `key` is as written, `slot` what it competes for."""

    key: str
    value: Scalar | Options
    span: Span
    owner: str  # the declaration that wrote it, "" outside declarations

    @property
    def slot(self) -> str:
        """`epochs` for `steps`, `seed` for `seeds`, else the key."""
        return SLOT.get(self.key, self.key)


def read_settings(pairs: tuple[Pair, ...], owner: str, bag: Bag) -> tuple[Given, ...]:
    """Each pair that is right; two of one slot are an error that shows both."""
    seen: dict[str, Given] = {}
    for pair in pairs:
        given = read_setting(pair, owner, bag)
        if given is None:
            continue
        if (before := seen.get(given.slot)) is not None:
            report_twice(before.span, given.span, given.slot, bag)
            continue
        seen[given.slot] = given
    return tuple(seen.values())


def report_twice(first: Span, second: Span, key: str, bag: Bag) -> None:
    """One slot set twice at one place."""
    words = "is set twice" if first.text.split(":")[0] == second.text.split(":")[0] else "is set in two ways"
    bag.error(codes.SET_TWICE, second, f"`{key}` {words} here", None, Label(first, "first set here"))


def read_setting(pair: Pair, owner: str, bag: Bag) -> Given | None:
    """`key: value` as a Given, or None after a finding."""
    key = pair.key.text
    rule = SETTINGS.get(key)
    if rule is None:
        hyphenated = key.replace("_", "-")
        here = [k for k, r in SETTINGS.items() if r.available]
        hint = f"keys are hyphenated: `{hyphenated}`" if hyphenated in SETTINGS else did_you_mean(key, here)
        if (meant := SYNONYMS.get(hyphenated)) is not None:
            hint = f"it is called `{meant}` here"
        bag.error(codes.UNKNOWN_KEY, pair.key.span, f"there is no setting `{key}`", hint)
        return None
    if isinstance(pair.value, ValueChoice):
        return _read_choice(pair, pair.value, rule, owner, bag)
    value = _read(key, rule, pair.value, bag)
    if value is None:
        return None
    if key == "seeds" and isinstance(value, int):
        seeds = tuple((str(n), n) for n in range(1, value + 1))
        return Given(key, Options(seeds, pair.span), pair.span, owner)
    return Given(key, value, pair.span, owner)


def _read_choice(pair: Pair, choice: ValueChoice, rule: SettingRule, owner: str, bag: Bag) -> Given | None:
    key = pair.key.text
    if choice.best and (rule.where != "run" or key in UNTUNED):
        _refuse_best(key, choice, bag)
        return None
    if key == "seeds":
        bag.error(codes.WRONG_VALUE, choice.span, "`seeds` takes a number", "write `seed: {1 | 2 | 3}` for a choice")
        return None
    if rule.sort == "words":
        message = f"`{key}` takes a list, and a choice would be an axis of the arms"
        bag.error(codes.WRONG_VALUE, choice.span, message, f"write `{key}: [{', '.join(rule.words)}]` for both")
        return None
    options: dict[str, Scalar] = {}
    for option in choice.options:
        value = _read(key, rule, option.value, bag)
        if value is None:
            return None
        label = option.label.text if option.label else option.value.span.text.strip('"')
        if label in options:
            bag.error(codes.LABEL_TWICE, option.span, f"`{label}` stands twice in this choice", "give each a label")
        options[label] = value
    return Given(key, Options(tuple(options.items()), choice.span, choice.best), pair.span, owner)


def _refuse_best(key: str, choice: ValueChoice, bag: Bag) -> None:
    tuned = [k for k, r in SETTINGS.items() if r.where == "run" and k not in UNTUNED and r.available]
    message = f"`best {{…}}` chooses how a stage is trained, and `{key}` is no such setting"
    if key in ("seed", "seeds"):
        message = "the best of several seeds is no estimate of what another seed gives"
    hint = f"write a choice without `best`; with it stand {listing(tuned)}"
    bag.error(codes.WRONG_VALUE, choice.span, message, hint)


def _read(key: str, rule: SettingRule, value: Value, bag: Bag) -> Scalar | None:
    match rule.sort:
        case "mix":
            return read_mix(value, bag)
        case "under":
            return read_under(value, bag)
        case "select":
            return read_select(value, bag)
        case _ if (word := _called(value)) in rule.words and word in METHODS:
            return read_method(word, value, bag)
        case "words":
            return _read_words(key, rule, value, bag)
        case "call" if (word := _called(value)) in rule.later:
            return _read_later(key, word, rule, value, bag)
    return read_scalar(key, rule, value, bag)


def _read_words(key: str, rule: SettingRule, value: Value, bag: Bag) -> tuple[str, ...] | None:
    """A list of words, each once; one word stands for the list of it, and `none` for no word at all."""
    if isinstance(value, Word) and value.text == "none":
        return ()
    items = value.items if isinstance(value, ListValue) else (value,)
    if not items or not all(isinstance(item, Word) for item in items):
        _refuse(key, rule, value, bag)
        return None
    words = {item.text: item.span for item in items if isinstance(item, Word)}
    unknown = [word for word in words if word not in rule.words]
    for word in unknown:
        message = f"`{key}` has no `{word}`: it takes {rule.allowed()}"
        bag.error(codes.WRONG_VALUE, words[word], message, did_you_mean(word, rule.words))
    return None if unknown else tuple(words)


def read_scalar(key: str, rule: SettingRule, value: Value, bag: Bag) -> Scalar | None:
    """One value of `key`, or None after a finding with the allowed values."""
    read: Scalar | None = None
    match rule.sort, value:
        case "int", Number(value=int() as number, unit=unit) if unit in ("", "k", "M"):
            read = number
        case (("float" | "threshold"), Number(value=number, unit=unit)) if unit in ("", "%"):
            read = float(number)
        case "share", Number(value=number, unit="%") if 0 <= number < 1:
            read = float(number) or 0
        case "share", Number(value=int() as number, unit="") if number >= 0:
            read = number
        case "limit", Number(value=int() as number, unit=unit) if unit in ("", "k", "M") and number >= 1:
            read = Limit(number, "fixed")
        case "limit", Call():
            read = _first(value)
        case (("word" | "call" | "similarity" | "threshold"), Word(text=text)) if text in rule.words:
            read = text
        case "text", String(value=text):
            read = text
    if read is not None and (not isinstance(read, int | float) or rule.sort == "share" or _in_range(read, rule)):
        return read
    _refuse(key, rule, value, bag)
    return None


def _first(call: Call) -> Limit | None:
    match call:
        case Call(arguments=(argument,)) if call.function.text == "first" and argument.name is None:
            match argument.value:
                case Number(value=int() as number, unit=unit) if unit in ("", "k", "M") and number >= 1:
                    return Limit(number, "own")
    return None


def _in_range(number: float, rule: SettingRule) -> bool:
    above = number > rule.low if rule.open_low else number >= rule.low
    return above and number < rule.high


def _refuse(key: str, rule: SettingRule, value: Value, bag: Bag) -> None:
    message = f"`{key}` is {describe(value)} but must be {rule.allowed()}"
    bag.error(codes.WRONG_VALUE, value.span, message, _mending(key, rule, value))


def _called(value: Value) -> str:
    """The word that a value is or calls; "" of any other."""
    return value.text if isinstance(value, Word) else value.function.text if isinstance(value, Call) else ""


def _read_later(key: str, word: str, rule: SettingRule, value: Value, bag: Bag) -> Method | None:
    """A method that this version cannot run, checked all the same."""
    method = read_method(word, value, bag)
    if method is not None:
        hint = f"for now: {replace(rule, later=()).allowed()}" if rule.words else "leave it out"
        bag.later(value.span, f"`{key}: {word}` is not available yet", hint)
    return method


def _mending(key: str, rule: SettingRule, value: Value) -> str | None:
    match value:
        case String(value=text) if rule.sort != "text" and text:
            return f"write it without quotes: `{key}: {text}`"
        case Number(value=float() as number, unit="") if rule.sort == "share" and 0 <= number < 1:
            return f"did you mean `{100 * number:g}%`?"
        case Number(value=number, unit="") if key == "lr" and number >= 1:
            return f"did you mean `{number}e-5`?"
        case ListValue(items=(_, *_)) if rule.sort != "words":
            options = " | ".join(i.span.text for i in value.items)
            return f"a choice is written `{'seed' if key == 'seeds' else key}: {{{options}}}`"
        case Word(text=text) if text in SYNONYMS:
            return f"it is called `{SYNONYMS[text]}` here"
        case Word(text=text) if rule.words:
            return did_you_mean(text, rule.words)
    return None


# The table of settings promises these types (compiler.catalog); a broken promise is a bug of ours.


def as_whole(value: Scalar | None) -> int:
    """A settled value that is a whole number."""
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def as_real(value: Scalar | None) -> float:
    """A settled value as a real number."""
    if not isinstance(value, float | int):
        raise TypeError(value)
    return float(value)


def as_number(value: Scalar | None) -> float | int:
    """A settled value that is a number, whole or not, as it was written."""
    if not isinstance(value, float | int):
        raise TypeError(value)
    return value


def as_words(value: Scalar | None) -> tuple[str, ...]:
    """A settled value that is a list of words; none where nothing is set."""
    if not isinstance(value, tuple | None):
        raise TypeError(value)
    return value or ()


def as_text(value: Scalar | None) -> str:
    """A settled value that is a word or a text."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value
