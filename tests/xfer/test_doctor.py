"""`xfer doctor`, the real command: what it says of a machine that is right, and of what would stop runs."""

import json
import os
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from compiler.plan import Device
from runtime.store.leases import Leases, myself
from runtime.store.objects import Store
from tests import hub_server
from tests.programs import PROGRAM, environment
from tests.test_docs import ROOT
from xfer import exits
from xfer.doctor import machine, packages, storing, world
from xfer.doctor.examine import works
from xfer.doctor.finding import Mark, ok

NOWHERE = "http://127.0.0.1:9"  # nobody listens there
SECRET = "hf_never-shown"  # noqa: S105  (of nobody)


def doctor(here, *arguments, store="store", **more):
    """The command in a home of its own: exit code, standard output, standard error."""
    hugging = {"HF_ENDPOINT": NOWHERE, "HF_HOME": str(here / "hf"), "HF_TOKEN": "", "HF_HUB_OFFLINE": ""}
    done = subprocess.run(
        [*PROGRAM, "doctor", *arguments],
        cwd=here,
        env={**environment(here / store), **hugging, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def findings(here, *arguments, **more):
    """The exit code, and the findings by what they are of."""
    code, out, err = doctor(here, "--json", *arguments, **more)
    document = json.loads(out)

    assert "" == err
    assert ["format_version", "works", "findings"] == list(document)
    assert document["works"] == (code == exits.OK)
    return code, {found["what"]: found for found in document["findings"]}


def test_a_machine_on_which_the_tests_run_can_run_studies(tmp_path):
    code, found = findings(tmp_path, "--offline")

    assert (exits.OK, set()) == (code, {f["what"] for f in found.values() if f["mark"] == "trouble"})
    assert {
        *packages.NAMED,
        "xfer",
        "python",
        "others",
        "cores",
        "memory",
        "gpu",
        "store",
        "disk",
        "hub",
        "token",
    } < set(found)
    assert f"{metadata.version('torch')} (>=2.4)" == found["torch"]["finding"]
    assert "babel-mini, 202,432 parameters" == found["model"]["finding"]
    assert "was not asked" in found["hub"]["finding"] and "note" == found["hub"]["mark"]
    assert not (tmp_path / "store").exists()

    code, out, _ = doctor(tmp_path, "--offline")  # the screen says the same, in one line each
    lines = [line for line in out.splitlines() if not line.lstrip().startswith("hint: ")]

    assert exits.OK == code
    assert list(found) == [line.split()[1] if "at work" not in line else "at work" for line in lines[:-1]]
    assert "studies can run here" == lines[-1]
    assert len(out.splitlines()) <= 40


# --- the store


@pytest.mark.parametrize(
    ("store", "words"),
    [("file", "it is no folder"), ("file/below/it", "file` is no folder"), ("/proc/nowhere", "cannot be written")],
)
def test_a_store_that_no_run_could_write_is_trouble(tmp_path, store, words):
    (tmp_path / "file").touch()
    code, found = findings(tmp_path, "--offline", store=store)

    assert exits.ERROR == code
    assert ("trouble", True) == (found["store"]["mark"], words in found["store"]["finding"])
    assert "--store DIR" in found["store"]["hint"]
    assert ["store"] == [f["what"] for f in found.values() if f["mark"] == "trouble"]


@pytest.fixture
def read_only(tmp_path):
    """A file system that takes no writes; root may write anywhere else."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a read-only file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("below", ["", "new/store"])
def test_a_read_only_store_is_trouble(read_only, below):
    (found,) = storing.examine(read_only / below)

    assert (Mark.TROUBLE, True) == (found.mark, "read-only file system" in found.finding)


@pytest.mark.parametrize(
    ("arguments", "variable", "rule"),
    [(["--store", "mine"], "x", "--store"), ([], "x", "XFER_STORE"), ([], "", "xfer.toml"), ([], None, "data folder")],
)
def test_it_says_where_the_store_is_and_why(tmp_path, monkeypatch, arguments, variable, rule):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", variable or "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if variable is not None:
        (tmp_path / "xfer.toml").write_text('store = "results"\n')
    place, *_ = storing.examine(tmp_path / "mine" if arguments else None)
    names = {"--store": "mine", "XFER_STORE": "x", "xfer.toml": "results", "data folder": "data/xfer/store"}

    assert place.finding.startswith(f"{tmp_path / names[rule]} (")
    assert f"{rule}); the first run makes it" in place.finding


def test_a_configuration_that_cannot_be_read_is_trouble(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XFER_STORE", raising=False)
    (tmp_path / "xfer.toml").write_text("store = [")
    (found,) = storing.examine(None)

    assert (Mark.TROUBLE, True) == (found.mark, "xfer.toml" in found.finding)


def test_it_counts_objects_and_names_who_is_at_work(tmp_path):
    store = Store(tmp_path, write=True)
    for key in ("ab12", "ab34", "cd56"):
        store.path(key).mkdir(parents=True)
    before = {found.what: found.finding for found in storing.examine(tmp_path)}
    leases = Leases(store.leases, myself("20260101-000000-abcd"))
    leases.take("ab12")
    during = {found.what: found.finding for found in storing.examine(tmp_path)}
    leases.release("ab12")

    assert ("3", "nobody") == (before["objects"], before["at work"])
    assert during["at work"].startswith("run 20260101-000000-abcd on ")


@pytest.mark.parametrize(("free", "mark"), [(10**7, Mark.TROUBLE), (10**9, Mark.NOTE), (10**11, Mark.OK)])
def test_a_disk_that_is_full_is_trouble(tmp_path, monkeypatch, free, mark):
    monkeypatch.setattr(storing.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))

    assert {mark} == {found.mark for found in storing.examine(tmp_path) if found.what == "disk"}


# --- the hub


def test_a_hub_that_does_not_answer_is_trouble(tmp_path):
    code, found = findings(tmp_path)

    assert (exits.ERROR, "trouble") == (code, found["hub"]["mark"])
    assert f"the hub {NOWHERE} cannot be reached" in found["hub"]["finding"]
    assert "--offline" in found["hub"]["hint"] and "HF_ENDPOINT" in found["hub"]["hint"]


def test_a_hub_that_must_not_be_asked_is_told(tmp_path):
    code, found = findings(tmp_path, HF_HUB_OFFLINE="1")

    assert (exits.OK, "note") == (code, found["hub"]["mark"])
    assert "HF_HUB_OFFLINE is set" in found["hub"]["finding"]


def test_a_hub_that_answers_is_right_and_a_token_is_never_shown(tmp_path):
    (tmp_path / "hf").mkdir()
    with hub_server.serving() as hub:
        code, found = findings(tmp_path, HF_ENDPOINT=hub.address, HF_TOKEN=SECRET)
        (tmp_path / "hf" / "token").write_text(SECRET)
        _, filed = findings(tmp_path, HF_ENDPOINT=hub.address)

    assert (exits.OK, f"{hub.address} answers") == (code, found["hub"]["finding"])
    assert "there is one, from HF_TOKEN" == found["token"]["finding"]
    assert f"there is one, from {tmp_path / 'hf' / 'token'}" == filed["token"]["finding"]
    assert SECRET not in str(found) + str(filed)


# --- libraries, devices, the model


@pytest.mark.parametrize(
    ("requirement", "mark", "words"),
    [
        ("lark>=1.2", Mark.OK, "(>=1.2)"),
        ("lark>=99", Mark.TROUBLE, ", and xfer needs >=99"),
        ("no-such-library>=2", Mark.TROUBLE, "is not installed; xfer needs >=2"),
    ],
)
def test_a_library_out_of_its_range_is_trouble(requirement, mark, words):
    found = packages.library(Requirement(requirement))

    assert (mark, True) == (found.mark, words in found.finding)
    assert found.hint == (None if mark is Mark.OK else f"pip install '{requirement}'")


def test_trouble_with_a_library_without_a_name_here_has_a_line_of_its_own():
    found = packages.libraries([Requirement("click>=8"), Requirement("numpy>=99"), Requirement("lark")])

    assert ["lark", "numpy", "others"] == [f.what for f in found]
    assert f"click {metadata.version('click')}" == found[-1].finding


def test_the_ranges_are_those_of_the_project_without_its_extras():
    stated = (ROOT / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("]")[0]
    named = {Requirement(line.strip(' ",')).name for line in stated.split("\n") if line.strip()}
    extra = ["pytest>=8; extra == 'dev'", "tomli>=2; python_version < '3'"]

    assert set(packages.NAMED) <= named
    assert "packaging" in named  # with which it looks
    assert ["lark"] == [r.name for r in packages.needed(["lark>=1.2", *extra])]


def test_a_python_out_of_range_is_trouble():
    assert Mark.OK is packages.python(">=3.11").mark
    assert "xfer needs >=4" in packages.python(">=4").finding
    assert Mark.TROUBLE is packages.python(">=4").mark


CARD = Device("cuda", "NVIDIA H100", bf16=True)


@pytest.mark.parametrize(
    ("device", "usable", "cuda", "mark", "words"),
    [
        (Device("cpu", "cpu", bf16=False), 0, None, Mark.OK, "none; studies run on the CPU"),
        (CARD, 2, "12.8", Mark.OK, "2 × NVIDIA H100, bf16, CUDA 12.8"),
        (CARD, 0, None, Mark.TROUBLE, "torch 2.9 is built without CUDA"),
        (CARD, 0, "13.0", Mark.TROUBLE, "torch 2.9 is built for CUDA 13.0"),
        (Device("cpu", "cpu", bf16=False), 1, "12.8", Mark.NOTE, "studies run on the CPU"),
    ],
)
def test_a_gpu_that_torch_cannot_use_is_trouble(device, usable, cuda, mark, words):
    found = machine.gpu(device, usable, "2.9", cuda)

    assert (mark, True) == (found.mark, words in found.finding)


def test_a_torch_that_cannot_be_imported_is_trouble(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')\n")
    environ = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    code, found = findings(tmp_path, "--offline", **environ)

    assert (exits.ERROR, "trouble") == (code, found["gpu"]["mark"])
    assert "torch cannot be imported: libcudart.so.12" in found["gpu"]["finding"]


@pytest.mark.parametrize(("free", "mark"), [(10**8, Mark.NOTE), (10**10, Mark.OK), (None, Mark.NOTE)])
def test_little_memory_is_told(monkeypatch, free, mark):
    monkeypatch.setattr(machine.capacity, "available_memory", lambda: free)

    assert mark is machine.memory().mark


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("how", ["gone", "cut"])
def test_an_embedded_model_that_cannot_be_read_is_trouble(tmp_path, name, how):
    for path in (world.EMBEDDED / world.MODEL).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    if how == "gone":
        (tmp_path / name).unlink()
    (found,) = world.examine(tmp_path)

    assert (Mark.TROUBLE, False) == (found.mark, works([ok("x", "y"), found]))
    assert "babel-mini cannot be read: " in found.finding


def test_nothing_but_this_command_imports_torch_for_it():
    code = "import sys, xfer.cli; sys.exit('torch' in sys.modules or 'packaging' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode
