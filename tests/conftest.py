"""What the tests share: groups that may be required, real data, one thread."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is no failure. In CI the same examples every time; new ones are found at the desk.
settings.register_profile(
    "xfer",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("xfer")

ROOT = Path(__file__).resolve().parent.parent
REAL = Path(os.environ.get("XFER_REAL", ROOT.parent / "shared" / "real"))
REQUIRED = set(os.environ.get("XFER_REQUIRE", "").split(",")) - {""}
ALL = os.environ.get("XFER_TEST") == "all"
# Files that begin first: one that begins last keeps a process waiting for it.
LONGEST = ("test_kills.py",) if ALL else ("test_study.py", "test_interrupts.py")


def pytest_collection_modifyitems(items):
    """Slow groups run with XFER_TEST=all; real data and LaTeX where they are; a required group fails, never skips."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if item.get_closest_marker("slow") and not ALL:
            item.add_marker(pytest.mark.skip(reason="slow: set XFER_TEST=all"))
        if item.get_closest_marker("real") and not REAL.is_dir() and "real" not in REQUIRED:
            item.add_marker(pytest.mark.skip(reason=f"no real data at {REAL} (XFER_REAL)"))
        if item.get_closest_marker("latex") and shutil.which("pdflatex") is None and "latex" not in REQUIRED:
            item.add_marker(pytest.mark.skip(reason="no pdflatex (Debian: texlive-latex-recommended)"))


@pytest.fixture(autouse=True)
def _one_thread(request):
    """Two threads on tiny tensors are twenty times slower."""
    if request.node.get_closest_marker("ml"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def real() -> Path:
    """The folder of real data and a real model."""
    assert REAL.is_dir(), f"required group `real`: {REAL} is absent"
    return REAL
