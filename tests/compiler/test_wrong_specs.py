"""Thirty specs with a mistake each, as people make them; all that is said of them (`XFER_ACCEPT=wrong`).

1 to 10 were written by somebody who had read the README alone, and knows nothing of the compiler.
"""

import io
import os
import shutil

import pytest
from rich.console import Console

from compiler.pipeline import compile_text
from compiler.places import Places
from dsl.source import Source
from tests.compiling import CPU, EMBEDDED, MODEL_FILES
from tests.conftest import ROOT
from xfer.render.messages import show_diagnostics

CASES = ROOT / "tests" / "cases" / "wrong"
NUMBERS = sorted(p.stem for p in CASES.glob("*.xfer"))
FILES = [f"{name}/{split}.jsonl" for name in ("data", "e-care", "siqa") for split in ("train", "dev", "test")]
FILES += [f"models/{name}/{file}" for name in ("me5-small", "me5-base") for file in MODEL_FILES]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with what the specs read."""
    folder = tmp_path_factory.mktemp("wrong")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}" if name.endswith(".json") else name)
    for path in CASES.glob("*.xfer"):
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize("number", NUMBERS)
def test_the_whole_message_is_as_recorded(number, here):
    text = (CASES / f"{number}.xfer").read_text(encoding="utf-8")
    result = compile_text(Source(f"{number}.xfer", text), Places(here, embedded=EMBEDDED), CPU)
    out = io.StringIO()
    show_diagnostics(Console(file=out, width=100, color_system=None), result.diagnostics)
    said = "\n".join(line.rstrip() for line in out.getvalue().replace(f"{here}/", "").splitlines()) + "\n"
    golden = CASES / f"{number}.txt"
    if os.environ.get("XFER_ACCEPT") == "wrong":
        golden.write_text(said, encoding="utf-8")

    assert result.plan is None
    assert golden.read_text(encoding="utf-8") == said


def test_there_are_thirty():
    assert [f"{n:02}" for n in range(1, 31)] == NUMBERS
