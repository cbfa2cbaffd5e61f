"""A study of any size: a model, ten intermediate tasks, ten target tasks after each, and evaluations.

Everything is pinned by a made-up lock file, so that it can be planned and checked; nothing of it is on a hub.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from compiler.pins import NAME, PinnedData, PinnedFile, PinnedModel, PinnedSplit, Pins, write

if TYPE_CHECKING:
    from pathlib import Path

TRAININGS = 10  # intermediate tasks, and target tasks after each
LANGUAGES = """
  aa ab af ak am ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cs cv cy da de dv dz ee el en eo es et eu fa ff
  fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz id ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko
  kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn
""".split()  # noqa: SIM905
_INPUT = 'input: { choices: ["{{ one }}", "{{ two }}"], label: "{{ label }}" }'


def write_study(folder: Path, evaluations: int) -> Path:
    """The spec, with its lock file, of a study with so many evaluations, a multiple of 100; its path."""
    benchmarks = _benchmarks(evaluations // TRAININGS**2)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.xfer"
    path.write_text(_text(benchmarks), encoding="utf-8")
    (folder / NAME).write_text(write(_pins(benchmarks)), encoding="utf-8")
    return path


def _benchmarks(each: int) -> dict[str, list[str]]:
    """The languages of each benchmark, so many in all."""
    starts = range(0, each, len(LANGUAGES))
    return {f"b{n}": LANGUAGES[: each - start] for n, start in enumerate(starts)}


def _text(benchmarks: dict[str, list[str]]) -> str:
    tasks = [f"{sort}{n}" for sort in "it" for n in range(TRAININGS)]
    lines = ['model m { weights: hf("bench/m") }', f'task i0 : multiple-choice {{ data: hf("bench/i0") {_INPUT} }}']
    lines += [f'task {name} : i0 {{ data: hf("bench/{name}") }}' for name in tasks[1:]]
    for name, languages in benchmarks.items():
        data = f'data: hf("bench/{name}", config: "{{{{ language }}}}")'
        lines.append(f"benchmark {name} : i0 {{ {data} languages: [{', '.join(languages)}] }}")
    first, second = (" | ".join(f"{sort}{n}" for n in range(TRAININGS)) for sort in "it")
    targets = ", ".join(f"{name}[*]" for name in benchmarks)
    return "\n".join([*lines, f"study: m -> {{{first}}} -> {{{second}}} @ {targets}", ""])


def _pins(benchmarks: dict[str, list[str]]) -> Pins:
    model = PinnedModel(_hash("m")[:40], tuple(_file(n, 2**31) for n in _MODEL), 512, 24, 560_000_000)
    tasks = {f"bench/{sort}{n}": _data(f"{sort}{n}", {"": "train"}) for sort in "it" for n in range(TRAININGS)}
    scored = {f"bench/{n}": _data(n, dict.fromkeys(languages, "test")) for n, languages in benchmarks.items()}
    return Pins({"bench/m": model}, tasks | scored)


_MODEL = ("config.json", "model.safetensors", "tokenizer.json")


def _data(name: str, splits: dict[str, str]) -> PinnedData:
    configs = {c: {s: PinnedSplit("parquet", (_file(f"{name}/{c}/{s}", 10**6),), 5000)} for c, s in splits.items()}
    return PinnedData(_hash(name)[:40], configs)


def _file(name: str, size: int) -> PinnedFile:
    return PinnedFile(name, _hash(name), size)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
