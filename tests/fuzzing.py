"""Inputs for the compiler, each from one number: valid specs, sentences of the grammar, mutations, and hostile texts.

`tried` compiles, draws and formats one.
"""

from __future__ import annotations

import io
import resource
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from time import process_time

from rich.console import Console

from dsl.diagnostics import Severity
from dsl.format import format_source
from dsl.source import Source
from tests.compiling import PRELUDE, compiled
from tests.sentences import sentence
from tests.strategies import DATA, TARGET, TRAINING
from xfer.render.messages import show_diagnostics

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS, MOST_MEMORY = 1.0, 200 * 2**20  # of CPU; of growth in bytes
NODES = 4_000  # of a plan, which may take a second for so many: what it takes is known, and grows with them
# What a valid spec may be warned of: what it does not use, a target it trains on, dev data that it scores and that
# chose its checkpoint, fewer than three seeds; and what is not computed or tested yet.
WARNED = {"X0207", "X0311", "X0321", "X0333"}
SPLICED = (
    "->", "@", "{", "}", "[", "]", "(", ")", "|", ":", ",", "+", "*", "-", "with", "skip", "best", "let", "suite",
    "use", '"', '"""', "#",
    "=", "\n", "\t", "=>", "–", "“", "\x00", "\ufeff", "𝔘", "e\u0301", "٣", "1e999", "%", "9" * 30,
)  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """What came of one text."""

    codes: tuple[str, ...]  # of errors, and of warnings that no valid spec may give
    seconds: float
    grown: int
    nodes: int = 0  # of its plan, or of the one that errors forbid


def tried(text: str, folder: Path) -> Tried:
    """Compile the text, draw what is said of it, and format it where it parses. Whatever is raised is a bug."""
    before, began = _memory(), process_time()
    result = compiled(text, folder)
    seconds = process_time() - began
    show_diagnostics(Console(file=io.StringIO(), width=80, markup=False), result.diagnostics[:20])
    format_source(Source("spec.xfer", text))
    found = result.diagnostics
    codes = (
        d.code
        for d in found
        if d.severity is Severity.ERROR or (d.severity is Severity.WARNING and d.code not in WARNED)
    )
    nodes = len(result.plan.nodes) if result.plan is not None else result.lowered
    return Tried(tuple(codes), seconds, _memory() - before, nodes)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# --- valid by construction


def valid(seed: int) -> str:
    """A spec over the files of `tests.compiling` in which nothing is wrong."""
    random = Random(f"valid/{seed}")
    lines = ["group few = [de, sw]", "group other = [few - sw, ta]"]
    if random.random() < 0.4:
        lines.append(f"defaults {random.choice(('', 'multiple-choice ', 'c '))}{{ {_pair(random, TRAINING)} }}")
    lines += [f"let early = {_choice(random)}", f"let named = {_stage(random, 'b')}"]
    lines.append(f"suite both {{ -> c{_settings(random, TRAINING, ('seed',))} @ x[ta] | @ a[de](split: dev) }}")
    lines.append('benchmark p : c { data: files("x/{{ first }}/{{ split }}.jsonl") languages: pairs(en, de, sw) }')
    lines += [f"{_label(n)}{_chain(random)}" for n in range(random.randint(1, 3))]
    lines += _concluded(random) if random.random() < 0.3 else []
    if random.random() < 0.1:
        lines.append(f"budget {{ {random.choice(('time: 40h', 'disk: 0.5TB', 'time: 90min, disk: 200GB'))} }}")
    random.shuffle(lines)
    return PRELUDE + "\n".join(lines)


def _label(number: int) -> str:
    return f"label-{number}: " if number else ""


def _chain(random: Random) -> str:
    model = random.choice(("m", "m", "n", "n", "{m | n}", "{one: m | n}"))
    before = random.choice(
        ("", "early -> ", "named -> ", "{skip | named} -> ", "t(steps: 3) -> ", f"{_mixture(random)} -> ")
    )
    if random.random() < 0.15:
        return f"{model} -> {random.choice(('a', 'named'))} -> both"
    if random.random() < 0.1:
        return f"{model} -> {before}c(select: {random.choice(('last', 'best'))}) @ {random.choice(('', 'x, '))}previous"
    last = _stage(random, "c")
    pairs = random.choice(("", "", f", p{random.choice(('', '[en.de, sw.sw]', '[* - en.en]'))}"))
    chain = random.choice(
        (f"-> {before}{last} @ x{_languages(random)}{_settings(random, TARGETS)}{pairs}", f"-> {before}{last}")
    )
    return f"{model} {chain}" + (f" with (seeds: {random.randint(1, 3)})" if random.random() < 0.2 else "")


def _concluded(random: Random) -> list[str]:
    """An experiment whose axes are known, with reports and claims about them."""
    axes = {"model": ["m", "n"], "before": ["skip", "a", "b"], "lr": ["1e-5", "high"], "under": ["clean", "hard"]}
    targets = "x[en, de](under: {clean | hard: casing}), a[en, sw](split: dev)"
    chain = f"{{m | n}} -> before -> c(lr: {{1e-5 | high: 3e-5}}) @ {targets}"
    seeds = random.choice(("", "", "", " with (seeds: 3)"))
    asked = [f"let before = {{{' | '.join(axes['before'])}}}", f"asked: {chain}{seeds}"]
    asked += [f'report "R{n}" {{ {_report(random, axes)} }}' for n in range(random.randint(0, 2))]
    return asked + [f'claim "C{n}": {_claim(random, axes)}' for n in range(random.randint(0, 2))]


def _report(random: Random, axes: dict[str, list[str]]) -> str:
    """The keys of a report in which each axis is a row, a column, or pinned."""
    roles = {axis: random.choice(("rows", "columns", "where")) for axis in axes}
    shown = {role: [a for a, r in roles.items() if r == role] for role in ("rows", "columns", "where")}
    shown["columns"] += random.sample(["benchmark", "language", "seed"], random.randint(0, 2))
    pinned = [f"{a}: {random.choice(axes[a])}" for a in shown["where"]]
    pinned += random.choice(([], [], [], ["language: few"], ["language: [en, other]"]))
    pins = ", ".join(pinned)
    keys = ["of: asked", f"where: {{ {pins} }}"] + [
        f"{r}: [{', '.join(shown[r])}]" for r in ("rows", "columns") if shown[r]
    ]
    more = ["value: accuracy", "interval: 99%", "average: all"] + ["baseline: skip"] * ("before: skip" not in pins)
    return ", ".join(keys + random.sample(more, 2) + random.sample(["as: [table, heatmap]", "as: heatmap"], 1))


def _claim(random: Random, axes: dict[str, list[str]]) -> str:
    """A comparison in which each axis is pinned or quantified."""
    quantified = [a for a in ("model", "lr") if random.random() < 0.5]
    pins = ", ".join(f"{a}: {random.choice(axes[a])}" for a in ("model", "lr") if a not in quantified)
    quantifier = f"{random.choice(('every', 'some'))} {', '.join(quantified)}: " if quantified else ""
    clean, hard = (f"asked[before: {random.choice('ab')}, under: {u}{pins and ', '}{pins}]" for u in ("clean", "hard"))
    return quantifier + random.choice(
        (
            f"mean({clean}) - mean({hard}) >= 1 at 95%",
            f"gain({clean}) > 0",
            f"worst(gain({hard}, against: {{ before: skip }}), over: language) > -2",
            f"retained({hard}, over: benchmark) < 90%",
            f"best(mean({hard.replace('hard', '[clean, hard]')}), over: under) > 50%",
            f"gap({clean}) <= {hard} + 3",
        )
    )


TARGETS = {
    **TARGET,
    "split": ("dev", "test"),
    "under": ("clean", "casing", "typos(rate: 10%)", "{clean | hard: word-drop(rate: 0.5, seed: 3)}"),
}


CHOOSING = {
    "lr": (*TRAINING["lr"], "{1e-5 | high: 3e-5}", "best {1e-5 | 3e-5}"),
    "warmup": (*TRAINING["warmup"], "best {5% | 10% | 100}"),
    "select": (
        *("best", "best(accuracy, every: 5, patience: 2, limit: 3)", "best(on: target)"),
        "{zs: best(every: 1k) | tlv: best(accuracy, on: target)}",
    ),
    "tune": ("head", "full"),
}


def _stage(random: Random, task: str) -> str:
    settings = {**TRAINING, **DATA, **CHOOSING}
    languages = random.choice(("", "[en]", "[en, de]", "[few]", "[* - sw]"))
    return f"{task}{languages}{_settings(random, settings, ('seed', 'mix'))}"


def _choice(random: Random) -> str:
    arms = ["skip", "a", "b(head: new)", f"two: {_stage(random, 'a')} -> b", f"mixed: {_mixture(random)}"]
    return f"{{{' | '.join(random.sample(arms, random.randint(2, 4)))}}}"


def _mixture(random: Random) -> str:
    mix = random.choice(("uniform", "temperature(2)", "weights(a: 2, b: 1)", "proportional(cap: 10k)"))
    return random.choice(("a + b", f"(a + b)(mix: {mix})", "(a[de] + b(limit: 5))(epochs: 2)"))


def _languages(random: Random) -> str:
    return random.choice(("", "[*]", "[ta]", "[few, ta]", "[* - en]", "[other]", "[* - qu, de]"))


def _settings(random: Random, table: dict, without: tuple[str, ...] = ()) -> str:
    keys = [key for key in table if key not in without]
    chosen = random.sample(keys, random.choice((0, 0, 1, 1, 2, 3)))
    if "steps" in chosen and "epochs" in chosen:
        chosen.remove("steps")
    return f"({', '.join(f'{k}: {random.choice(table[k])}' for k in chosen)})" if chosen else ""


def _pair(random: Random, table: dict) -> str:
    key = random.choice([k for k in table if k not in ("mix", "seed")])
    return f"{key}: {random.choice(table[key])}"


# --- others


def grammatical(seed: int) -> str:
    """A sentence of the grammar, which seldom means anything."""
    return sentence(seed, 120).text


@cache
def corpus() -> tuple[str, ...]:
    """Texts to mutate: the library, the specs, and every case of the compiler."""
    paths = [*(ROOT / "specs").rglob("*.xfer"), *(ROOT / "tests" / "cases").rglob("*.xfer")]
    return tuple(path.read_text(encoding="utf-8")[:6000] for path in sorted(paths))


def mutated(seed: int) -> str:
    """A valid or a known text with some characters, words or lines taken out, doubled, moved or put in."""
    random = Random(f"mutated/{seed}")
    text = valid(seed) if random.random() < 0.5 else random.choice(corpus())
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice((1, 1, 3, 10, 80)))
        put = random.choice(
            ("", text[start:end] * 2, random.choice(SPLICED), text[end : end + 20], random.choice(corpus())[:60])
        )
        text = text[:start] + put + text[end:]
    return text


def hostile(seed: int) -> str:
    """What nobody would write: depth, width, loops, huge numbers, odd characters."""
    random = Random(f"hostile/{seed}")
    count = random.choice((3, 50, 400, 3000))
    few = count if count > 200 else 7  # what is not too much is planned, and takes its time
    names = [f"n{n}" for n in range(count)]
    made = [
        lambda: "m -> " + "{" * count + "a" + "}" * random.choice((count, count - 1, 0)),
        lambda: "m -> " + "(" * count + "a" + ")" * count,
        lambda: (
            "task " + "\ntask ".join(f"{a} : {b} {{ }}" for a, b in zip(names, [*names[1:], names[0]], strict=True))
        ),
        lambda: "\n".join(f"let {a} = {{{b} | {b}}}" for a, b in pairwise(names)) + "\nm -> n0 @ x",
        lambda: "\n".join(f"group {a} = [{b}, {b}]" for a, b in pairwise([*names[:400], "de"])) + "\nm -> c @ x[n0]",
        lambda: (
            "\n".join(f"let {a} = {{a | b(lr: {n}e-6) | skip}}" for n, a in enumerate(names[:60]))
            + f"\nm -> {' -> '.join(names[:60])}"
        ),
        lambda: (
            f"m -> c(lr: {{{' | '.join(f'{n}e-7' for n in range(1, few))}}}, "
            f"seed: {{{' | '.join(map(str, range(few)))}}}) @ x"
        ),
        lambda: f"m -> c(epochs: {'9' * count}, lr: 1e-{count}, warmup: {count}%, seeds: {count}) @ x[de]",
        lambda: f"m -> {' + '.join(['a', 'b', 't'] * count)} @ a",
        lambda: "m -> c @ x(under: typos(rate: " + "1" * count + "%))",
        lambda: 'task q : a { input: { label: "' + "{{ " * count + '" } }',
        lambda: '"""' * count + "#" * count,
        lambda: (
            "".join(chr(random.randrange(1, 0x10FFFF)) for _ in range(min(count, 200)))
            .encode("utf-8", "ignore")
            .decode()
        ),
        lambda: f"m -> c @ x[{', '.join(chr(random.randrange(97, 0x3000)) * 2 for _ in range(min(count, 300)))}]",
        lambda: f"suite s {{ {' | '.join(f'l{n}: -> c @ x' for n in range(min(count, 50)))} }}\nm -> s",
        lambda: "defaults { " + " ".join(f"{key}: 3" for key in names[:1000]) + " }",
        lambda: f'claim "x": {"mean(" * count}a{")" * count} > 3',
        lambda: 'report "x" { ' + "where: { " * count + "} " * count + "}",
    ]
    return (PRELUDE if random.random() < 0.7 else "") + random.choice(made)()


SORTS = {"valid": valid, "grammatical": grammatical, "mutated": mutated, "hostile": hostile}
