"""The sketches of the design compile: what is said of each, and the plan, as recorded (`XFER_ACCEPT=sketches`).

What the library has otherwise than the sketches stands in `tests/cases/sketches/library.xfer`.
"""

import io
import os
import shutil

import pytest
from rich.console import Console

from compiler.pipeline import Wanted, compile_text
from compiler.places import Places
from dsl.source import Source
from runtime.estimates import estimate
from runtime.preview import preview
from runtime.store.objects import Store
from tests.compiling import CPU, EMBEDDED
from tests.conftest import REAL, ROOT
from xfer.opening import imagined
from xfer.render.costs import Cost
from xfer.render.messages import show_diagnostics
from xfer.render.plan import show_plan

CASES = ROOT / "tests" / "cases" / "sketches"
SKETCHES = REAL.parent / "design" / "sketches"
NAMES = ("declarations", "every-construct", "huang2021", "phang2020", "robustness", "xcopa2020")

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sketches")
    shutil.copy(CASES / "library.xfer", folder / "library.xfer")
    shutil.copy(CASES / "library.xfer", folder / "other.xfer")
    return folder


def text_of(name):
    """The sketch, with stand-ins for what the library has otherwise."""
    text = (SKETCHES / f"{name}.xfer").read_text(encoding="utf-8")
    if "use " not in text:
        text += '\nuse "library.xfer"\n'
    return text


def drawn(name, folder):
    """What the program says of a sketch, and its plan."""
    text = text_of(name)
    result = compile_text(Source(f"{name}.xfer", text), Places(folder, embedded=EMBEDDED), CPU)
    out = io.StringIO()
    console = Console(file=out, width=160, color_system=None)
    show_diagnostics(console, result.diagnostics)
    if (plan := result.plan or result.refused) is not None:
        show_plan(console, plan, preview(plan, Store(folder / "store", write=False)), tree=True)
    else:
        print("No plan.", file=out)
    said = out.getvalue().replace(f"{folder}/", "")
    return "\n".join(line.rstrip() for line in said.splitlines()) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_sketch_compiles_as_recorded(name, folder):
    golden = CASES / f"{name}.txt"
    found = drawn(name, folder)
    if os.environ.get("XFER_ACCEPT") == "sketches":
        golden.write_text(found, encoding="utf-8")

    assert golden.read_text(encoding="utf-8") == found


def screen(folder):
    """The plan of Phang et al. 2020 on one H100, nothing pinned, as a screen of 160 columns."""
    source = Source("phang2020.xfer", (ROOT / "specs" / "studies" / "phang2020.xfer").read_text(encoding="utf-8"))
    device, workers = imagined("H100")
    plan = compile_text(source, Places(folder, embedded=EMBEDDED), device, Wanted("phang")).plan
    store = Store(folder / "store", write=False)
    found = preview(plan, store)
    out = io.StringIO()
    console = Console(file=out, width=160, color_system=None)
    show_plan(console, plan, found, Cost(estimate(plan, store, found.to_run, workers), 2 * 10**12))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def test_the_plan_of_a_study_of_true_sizes_is_one_screen_that_says_what_it_costs(folder):
    golden = CASES / "phang2020-on-h100.txt"
    found = screen(folder)
    if os.environ.get("XFER_ACCEPT") == "sketches":
        golden.write_text(found, encoding="utf-8")

    assert golden.read_text(encoding="utf-8") == found
    assert len(found.splitlines()) <= 32


def test_every_sketch_is_held():
    assert sorted(NAMES) == sorted(p.stem for p in SKETCHES.glob("*.xfer"))
