"""What `xfer data` draws: counts, balance, lengths, what is wrong, and rows as the model sees them."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict
from rich.text import Text

from xfer.render.messages import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from runtime.surveys import Seen, Survey
    from xfer.inspecting import Looked

_LABELS, _ROWS, _TOKENS, _WIDE = 20, 5, 40, 160  # how many are shown


def show_data(console: Console, looked: Looked) -> None:
    """Each data set that was asked for; then the suspicions of the other languages, a line each."""
    for survey in looked.shown:
        first = f"{survey.name} · {survey.kind}, max-length {survey.max_length}"
        console.print(Text(first, "bold"), soft_wrap=True)
        for line in _counts(survey):
            console.print(Text(f"  {line}"), soft_wrap=True)
        for text, rows in _wrong(survey, looked):
            console.print(Text(f"  ! {_fault(text, rows, survey)}", "yellow"), soft_wrap=True)
        for seen in survey.seen:
            for line in _example(seen, survey.names):
                console.print(Text(f"  {line}", "dim"), soft_wrap=True)
        console.print()
    for copy, shown in looked.copies:
        console.print(Text(f"{copy}: the same files as {shown}", "dim"), soft_wrap=True)
    _show_others(console, looked)


def _show_others(console: Console, looked: Looked) -> None:
    """What is suspicious in languages that were not asked for."""
    others = [s for s in looked.surveys if s.language not in looked.asked and looked.of(s)]
    for survey in others:
        for found in looked.of(survey):
            line = f"{survey.name}: {_fault(found.text, found.rows, survey)}"
            console.print(Text(line, "dim"), soft_wrap=True)


def _counts(survey: Survey) -> Iterator[str]:
    kept = f", {survey.kept:,} kept by the filter" if survey.kept != survey.rows else ""
    looked = f", the first {survey.looked:,} looked at" if survey.looked < survey.kept else ""
    unlabelled = f", {survey.unlabelled:,} without a label" if survey.unlabelled else ""
    yield f"{counted(survey.rows, 'row')}{kept}{looked}{unlabelled}"
    if 0 < len(survey.clusters) < survey.looked:
        of_which = f" by `{survey.clustered_by}`" if survey.clustered_by else ""
        yield f"{counted(len(survey.clusters), 'cluster')}{of_which}, each one draw of items"
    if survey.lengths:
        yield f"{_spread(survey.lengths)} tokens a sequence; {counted(survey.cut, 'row')} cut to fit"
    if survey.unknown:
        share = 100 * survey.unknown / sum(survey.lengths)
        yield f"unknown to the tokenizer: {counted(survey.unknown, 'token')}, {share:.1f} %"
    if survey.labels:
        shown = [f"{label} {n:,}" for label, n in survey.labels.most_common(_LABELS)]
        yield f"labels: {' · '.join(shown)}{' · …' if len(survey.labels) > _LABELS else ''}"
    if survey.numbers:
        yield f"values: {_spread(survey.numbers)}"


def _spread(numbers: Sequence[float]) -> str:
    """The least, the middle, the 95th of a hundred and the most."""
    if len(numbers) < 2:  # noqa: PLR2004
        return f"{numbers[0]:g}"
    cuts = quantiles(numbers, n=20, method="inclusive")
    return f"{min(numbers):g} to {max(numbers):g}, median {cuts[9]:g}, 95 % up to {cuts[18]:g}"


def _wrong(survey: Survey, looked: Looked) -> Iterator[tuple[str, Sequence[int]]]:
    yield from ((found.text, found.rows) for found in looked.of(survey))
    yield from survey.wrong.items()


def _fault(text: str, rows: Sequence[int], survey: Survey) -> str:
    if not rows:
        return text
    shown = ", ".join(str(row + 1) for row in rows[:_ROWS])
    return f"{text}: {len(rows):,} of {counted(survey.looked, 'row')} ({shown}{', …' if len(rows) > _ROWS else ''})"


def _example(seen: Seen, names: Sequence[str]) -> Iterator[str]:
    yield f"row {seen.row + 1}{', cut to fit' if seen.cut else ''}"
    for name, value in seen.values.items():
        yield f"  {name}: {_short(str(value))}{_called(name, value, names)}"
    for number, tokens in enumerate(seen.sequences):
        title = "tokens" if len(seen.sequences) == 1 else f"tokens {number + 1} of {len(seen.sequences)}"
        yield f"  {title} ({len(tokens)}): {_tokens(tokens)}"
        for lost in (found for found in seen.lost if found.sequence == number):
            yield f"    {counted(len(lost.tokens), 'token')} cut off behind token {lost.behind}: {_tokens(lost.tokens)}"


def _called(name: str, value: object, names: Sequence[str]) -> str:
    """What numbers of labels are called."""
    values: list[Any] = value if isinstance(value, list) else [value]
    if name not in ("label", "tags") or not names or not all(isinstance(v, int) for v in values):
        return ""
    called = [names[v] for v in values if 0 <= v < len(names)]
    return f" ({_short(' '.join(called))})" if len(called) == len(values) else ""


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 2]} …"


def _tokens(tokens: Sequence[str]) -> str:
    """The tokens; of many the first and the last."""
    if len(tokens) <= _TOKENS:
        return " ".join(tokens)
    return " ".join([*tokens[: _TOKENS * 3 // 4], "…", *tokens[-_TOKENS // 4 :]])


def document(looked: Looked) -> dict[str, Any]:
    """The same for programs; rows count from 0."""
    return {"format_version": "1.0", "data": [_record(survey, looked) for survey in looked.shown]}


def _record(survey: Survey, looked: Looked) -> dict[str, Any]:
    record = asdict(survey)
    for name in ("values", "indices", "wrong", "lengths", "numbers", "seen"):
        del record[name]
    return record | {
        "clusters": len(survey.clusters) or None,
        "labels": dict(survey.labels),
        "lengths": _quartiles(survey.lengths),
        "numbers": _quartiles(survey.numbers),
        "wrong": [{"text": text, "rows": list(rows)} for text, rows in _wrong(survey, looked)],
        "examples": [asdict(seen) | {"lost": [asdict(lost) for lost in seen.lost]} for seen in survey.seen],
    }


def _quartiles(numbers: Sequence[float]) -> dict[str, float] | None:
    if not numbers:
        return None
    cuts = quantiles([*numbers, *numbers], n=20, method="inclusive")
    return {"min": min(numbers), "median": cuts[9], "p95": cuts[18], "max": max(numbers)}
