"""An installed wheel works outside the checkout: it carries the grammar, the library, the model and the pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built and installed into a folder of its own."""
    built, target = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("target")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def xfer(installed, folder, *arguments):
    """The installed program in an empty home, far from the checkout."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XFER_", "XDG_", "PYTHON"))}
    environment |= {"HOME": str(folder), "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", "import sys; from xfer.cli import entry; sys.exit(entry())", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_is_what_runs(installed, tmp_path):
    code = "import compiler, dsl, runtime, xfer; print(*(m.__file__ for m in (compiler, dsl, runtime, xfer)))"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )

    assert all(path.startswith(str(installed)) for path in done.stdout.split()), done


def test_a_spec_anywhere_sees_the_library(installed, tmp_path):
    (tmp_path / "mine.xfer").write_text("xlmr-large -> {skip | hellaswag} -> copa @ xcopa[*]\n")

    done = xfer(installed, tmp_path, "plan", "mine.xfer")

    assert (0, True) == (done.returncode, "Plan: 61 nodes" in done.stdout), done


def test_the_pages_of_diagnostics_come_with_it(installed, tmp_path):
    done = xfer(installed, tmp_path, "explain", "X0301")

    assert ((ROOT / "docs" / "diagnostics" / "X0301.md").read_text(), "") == (done.stdout, done.stderr)


def test_the_program_knows_its_version(installed, tmp_path):
    assert "0.1.0" in xfer(installed, tmp_path, "--version").stdout


@pytest.mark.ml
@pytest.mark.slow
def test_the_quickstart_runs_from_the_wheel_in_an_empty_home(installed, tmp_path):
    spec = str(installed / "specs" / "quickstart.xfer")

    first, second = xfer(installed, tmp_path, "run", spec), xfer(installed, tmp_path, "run", spec)

    assert 0 == first.returncode, first.stderr
    assert "gain over skip" in first.stdout and "chance 50.0 · baseline: skip" in first.stdout
    assert (0, first.stdout) == (second.returncode, second.stdout)
    assert "Nothing to run" in second.stderr
    assert (tmp_path / ".local" / "share" / "xfer" / "store" / "index.sqlite").is_file()
