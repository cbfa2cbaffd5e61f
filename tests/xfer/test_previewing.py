"""`xfer plan` and `xfer diff` at the command line: one screen, what it costs, what it saves, and nothing written."""

import json
import os
import re
import shutil
import subprocess
import sys

import jsonschema
import pytest
from msgspec.structs import asdict

import xfer
from bench.study import write_study
from compiler.ops import Data, Predict, Train
from runtime.store.leases import myself
from runtime.store.objects import MEASURED
from tests import plans
from tests.compiling import PRELUDE, write_files
from tests.conftest import REQUIRED, ROOT
from tests.programs import events, kill_all, start, wait_for
from xfer import exits
from xfer.cli import call
from xfer.render.costs import duration, size

SCHEMA = json.loads((ROOT / "xfer" / "plan.schema.json").read_text())
LINE = PRELUDE.count("\n") + 1
CHAIN = "m -> {skip | a | b} -> c @ x[*], a[de, sw](split: dev) with (seeds: 3)\n"


class Here:
    """A folder with a spec, its files and a store."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys, self.err = folder, capsys, ""

    def write(self, text=CHAIN, name="spec.xfer"):
        (self.folder / name).write_text(PRELUDE + text)

    def study(self):
        return xfer.compile("spec.xfer", xfer.Options(device="cpu"))

    def make(self):
        """All objects of the spec, by an executor whose bodies write a line each."""
        study = self.study()
        report = plans.run(study.plan, study.store(write=True), plans.LineBodies())
        assert [] == report.failed

    def __call__(self, *words, code=exits.OK):
        """What a command prints, which ends as it should; beside an error what it says of it."""
        self._capsys.readouterr()
        found = call(list(words))
        out, self.err = self._capsys.readouterr()
        assert code == found, out + self.err
        return self.err if "error" in self.err else out

    def plan(self, *words, code=exits.OK):
        return self("plan", "spec.xfer", "--device", "cpu", *words, code=code)

    def document(self, *words):
        found = json.loads(self.plan("--json", *words))
        jsonschema.validate(found, SCHEMA)
        found["cost"].pop("free_bytes")  # the only thing of the moment
        return found


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    write_files(tmp_path)
    found = Here(tmp_path, capsys)
    found.write()
    return found


# --- the screen


def test_a_large_plan_is_folded_by_place_and_says_what_is_behind_each_line(here):
    tasks = "\n".join(f"task a{n} : a {{ settings: {{ epochs: {n + 30} }} }}" for n in range(9))
    arms = f"{{skip | a | b | {' | '.join(f'a{n}' for n in range(9))}}}"
    here.write(f"{tasks}\n{CHAIN.replace('{skip | a | b}', arms)}two: m -> a0 @ a[de](split: dev)\n")

    said = here.plan().splitlines()

    assert len(said) <= 16
    assert "└── + {skip | a | b | a0 | a1 | a2 | a3 | a4 | a5 | a6 | a7 | a8}  11 × 3 seeds = 33 trainings: new" in said
    assert "    └── + c @ x[4], a[2]  12 × 3 seeds = 36 trainings, 216 scores: new" in said
    assert {"experiment #1", "experiment two"} <= set(said)


@pytest.mark.parametrize("evaluations", [900, 9900])
def test_it_is_one_screen_at_any_size(here, evaluations):
    write_study(here.folder / "big", evaluations)

    said = here("plan", "big/study.xfer", "--device", "cpu").splitlines()

    assert len(said) <= 12 and max(map(len, said)) <= 200
    assert any("100 trainings" in line and f"{evaluations:,} scores" in line for line in said)


def test_causes_come_first_and_once_and_the_totals_first_and_last(here):
    here.make()
    here.write(CHAIN.replace("| b}", "| b(lr: 3e-6)}"))

    said = here.plan().splitlines()

    totals = "Plan: 133 nodes: 91 cached, 42 to run (42 re-run)"
    assert said[0].startswith(totals) and totals in said
    assert f"1 change re-runs 42 nodes: `lr` 1e-05 → 3e-06 (spec.xfer:{LINE}:20)" == said[1]
    assert said.index(totals) == len(said) - 2


def test_what_would_run_code_is_blocked_with_all_that_waits_for_it_until_it_is_allowed(here):
    (here.folder / "mine.py").write_text("def rows(split, language):\n    yield {}\n")
    ours = 'task own : a { data: python("mine:rows") }\n'
    here.write(f"{ours}m -> {{skip | own}} -> c @ x[de]\n")

    said = here.plan().splitlines()
    marks = {n["label"]: n["action"] for n in here.document()["nodes"]}

    assert said[0].startswith("Plan: 11 nodes: 0 cached, 11 to run (5 blocked)")
    assert "5 nodes are blocked: `data own train[en]` would run code: read it, then say `--allow-code`" == said[1]
    assert ["blocked"] * 2 == [marks[label] for label in ("data own train[en]", "m -> own (seed 1)")]
    assert ("new", "blocked") == (marks["m -> c (seed 1)"], marks["m -> own -> c (seed 1)"])
    assert any("! own" in line and "blocked" in line for line in said)
    leases = here.study().store(write=True).leases
    leases.mkdir(parents=True, exist_ok=True)
    data = next(n for n in here.study().plan.nodes if n.label == "data own train[en]")
    (leases / f"{data.key}.json").write_text(json.dumps(asdict(myself("other"))))
    assert "(5 blocked)" in here.plan(), "`run` refuses it whoever makes it meanwhile"
    assert exits.ERROR == call(["run", "spec.xfer", "--device", "cpu"])
    assert "(1 held by another run)" in here.plan("--allow-code")
    (leases / f"{data.key}.json").unlink()
    allowed = here.plan("--allow-code").splitlines()
    assert "(" not in allowed[0].partition("·")[0] and not any("!" in line for line in allowed)


def test_the_tree_has_a_line_for_each_chain(here):
    here.write("\n".join(f"e{n}: {CHAIN.strip()}" for n in range(6)))

    assert 3 == here.plan("--tree").count("@ x  4 × 3 seeds = 12: new")


def test_every_node_has_a_line_with_its_key(here):
    said = here.plan("--full")

    assert 133 + 2 == len(said.splitlines())
    assert "Shown: 15 trainings, 54 predictions, 54 scores, 9 data sets, 1 model" == said.splitlines()[-2]
    assert re.search(r"^\+ [0-9a-f]{12}  m -> a \(seed 1\)$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("pattern", "ops"),
    [
        ("m -> a (seed 1)", {"train": 1}),
        ("+m -> a (seed 1)", {"model": 1, "data": 1, "train": 1}),
        ("m -> a (seed 1)+", {"train": 2, "predict": 6, "score": 6}),
        ("data * test?de?", {"data": 1}),
    ],
)
def test_nodes_are_chosen_by_a_part_of_their_label_with_what_they_read_and_what_reads_them(here, pattern, ops):
    found = [n["op"] for n in here.document("--select", pattern)["nodes"]]

    assert ops == {op: found.count(op) for op in set(found)}


def test_a_pattern_that_fits_nothing_is_an_error(here):
    assert "fits no node of this plan" in here.plan("--select", "nothing", code=exits.USAGE)


# --- for other programs


def test_the_document_holds_to_its_schema_whatever_is_cached(here):
    nothing = here.document()
    here.make()
    all_ = here.document()
    here.write(CHAIN.replace("| b}", "| b(lr: 3e-6)}"))
    some = here.document()

    assert [133, 0, 42] == [d["totals"]["to_run"] for d in (nothing, all_, some)]
    assert 3 == len({d["plan_id"] for d in (nothing, all_, some)})
    assert some == here.document()
    (change,) = some["changes"]
    assert (42, "lr", "1e-05", "3e-06") == (len(change["nodes"]), change["path"], change["before"], change["after"])


def test_every_node_that_runs_has_a_cost_and_what_is_unknown_is_null(here):
    found = here.document()

    assert all(set(n["cost"]) == {"seconds", "flops", "tokens", "bytes"} for n in found["nodes"])
    assert {None} == {n["cost"]["seconds"] for n in found["nodes"] if n["op"] == "train"}
    assert {n["id"] for n in found["nodes"] if n["op"] in ("train", "predict")} == set(found["cost"]["time_unknown"])


@pytest.mark.parametrize("form", ["--mermaid", "--dot"])
def test_a_graph_has_a_box_a_line_and_arrows_between_those_that_are_there(here, form):
    said = here.plan(form)
    boxes = re.findall(r"^  (n\d+) ?\[", said, re.MULTILINE)
    arrows = re.findall(r"^  (n\d+) --?> (n\d+)", said, re.MULTILINE)

    assert 5 == len(boxes) == len(arrows) + 1
    assert {end for arrow in arrows for end in arrow} <= set(boxes)
    assert 3 == len(re.findall(r"^  n\d+ ?\[", here.plan(form, "--select", "m -> a (seed"), re.MULTILINE))


# --- what it costs


def test_on_a_device_of_the_table_times_are_known_by_it(here):
    here.write('m -> w-causes @ w-xcauses[qaa]\nmodel m2 { weights: embedded("babel-mini") }\nm2 -> w-causes\n')

    said = here.plan("--on", "4*H100", code=exits.OK)

    assert "on H100 with 4 workers" in said and "by the device table" in said


@pytest.mark.parametrize("wanted", ["P100", "0*H100", "x*H100", "*H100"])
def test_a_device_that_is_not_in_the_table_is_an_error_with_those_that_are(here, wanted):
    assert "error" in here.plan("--on", wanted, code=exits.USAGE)


@pytest.mark.ml
def test_after_a_run_times_are_known_by_it_and_what_was_expected_is_told(here):
    def spec(lr):
        chain = f"b -> w-causes(steps: 3, batch: 8, lr: {lr}) @ w-xcauses[qaa](limit: 20)"
        (here.folder / "spec.xfer").write_text(f'model b {{ weights: embedded("babel-mini") }}\n{chain}\n')

    spec("1e-3")
    here("run", "spec.xfer", "--jobs", "1", "--device", "cpu")
    first = here.err
    store = here.study().store()
    made = {type(n.op): store.index.get(n.key).provenance.get(MEASURED) for n in here.study().plan.nodes}
    spec("2e-3")
    planned = here.plan()
    here("run", "spec.xfer", "--jobs", "1", "--device", "cpu")
    second = here.err

    assert "were expected" not in first and "were expected (3 nodes)" in second
    assert "by past records" in planned
    assert 98304 == made[Train]["weights"] == made[Predict]["weights"]
    assert 0 < made[Train]["tokens"] and made[Data]["tokens"] == made[Predict]["tokens"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.4, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (7300, "2 h 1 min"), (90061, "1 d 1 h")],
)
def test_durations_are_told_in_two_units(seconds, words):
    assert words == duration(seconds)


def test_sizes_are_told_in_three_digits():
    assert ["0 B", "999 B", "1 kB", "2.24 GB", "1.5 TB"] == [size(n) for n in (0, 999, 1000, 2.24e9, 1.5e12)]


# --- budget


def budgeted(limits):
    return f'model b {{ weights: embedded("babel-mini") }}\nb -> w-causes(steps: 90)\nbudget {{ {limits} }}\n'


@pytest.mark.parametrize("limits", ["time: 1s", "disk: 1kB"])
def test_a_budget_that_is_exceeded_fails_the_plan_and_no_run_starts(here, limits):
    (here.folder / "spec.xfer").write_text(budgeted(limits))

    said = here.plan("--on", "H100", code=exits.BUDGET)

    assert "too much" in said
    if limits.startswith("disk"):  # nothing is known of the time on this CPU
        assert "the budget is exceeded" in here("run", "spec.xfer", "--device", "cpu", code=exits.BUDGET)
        assert not (here.folder / "store" / "objects").exists()


def test_a_budget_that_is_kept_is_shown(here):
    (here.folder / "spec.xfer").write_text(budgeted("time: 1h, disk: 1GB"))

    said = here.plan("--on", "H100")

    assert "Budget: about" in said and "of 1 h" in said and "too much" not in said


# --- saved plans


def test_a_saved_plan_is_run_and_nothing_else(here):
    (here.folder / "spec.xfer").write_text('model b { weights: embedded("babel-mini") }\nb -> w-causes(steps: 2)\n')
    here.plan("-o", "p.json")
    jsonschema.validate(json.loads((here.folder / "p.json").read_text()), SCHEMA)

    (here.folder / "spec.xfer").write_text('model b { weights: embedded("babel-mini") }\nb -> w-causes(steps: 3)\n')
    said = here("run", "p.json", code=exits.STALE)

    assert "the plan is stale: 1 node changed since: `b -> w-causes (seed 1)`" in said
    assert not (here.folder / "store" / "objects").exists()


@pytest.mark.ml
def test_a_saved_plan_goes_on_where_it_stopped(here):
    (here.folder / "spec.xfer").write_text('model b { weights: embedded("babel-mini") }\nb -> w-causes(steps: 2)\n')
    here.plan("-o", "p.json")

    here("run", "p.json")
    here("run", "p.json")

    assert 3 == len(list((here.folder / "store" / "objects").glob("*/*")))
    assert "3 cached, 0 to run" in here.err


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format_version": "9.0"}', '{"format_version": "1.0", "nodes": []}']
)
def test_what_is_no_saved_plan_is_a_message(here, text):
    (here.folder / "p.json").write_text(text)

    assert "make it again" in here("run", "p.json", code=exits.USAGE)


def test_a_plan_with_open_names_is_not_saved(here):
    (here.folder / "spec.xfer").write_text('model b { weights: hf("a/b") }\nb -> w-causes\n')

    assert "xfer lock SPEC" in here.plan("-o", "p.json", code=exits.USAGE)
    assert not (here.folder / "p.json").exists()


# --- the lock


@pytest.mark.parametrize("command", ["plan", "run"])
def test_with_locked_an_open_name_is_an_error_at_its_place(here, command):
    (here.folder / "spec.xfer").write_text('model b { weights: hf("a/b") }\nb -> w-causes\n')

    said = here(command, "spec.xfer", "--locked", "--device", "cpu", code=exits.ERROR)

    assert "`a/b` is not pinned" in said and "spec.xfer:1:20" in said


# --- diff


def test_two_specs_are_compared_by_what_they_run(here):
    here.write(name="old.xfer")
    here.write(CHAIN.replace("a[de, sw]", "a[de]").replace("| b}", "| b(lr: 3e-6)}").replace("x[*]", "x[de, en]"))

    said = here("diff", "old.xfer", "spec.xfer", "--device", "cpu", code=exits.ERROR).splitlines()

    assert "52 the same, 24 changed, 57 removed" == said[0]
    assert f"1 change, 24 other nodes: `lr` 1e-05 → 3e-06 (spec.xfer:{LINE}:20)" == said[1]
    assert 12 + 1 == len([line for line in said if line.startswith("- ")])


def test_what_means_the_same_is_the_same_work(here):
    here.write("let before = {skip | a | b}\n" + CHAIN.replace("{skip | a | b}", "before"), name="old.xfer")

    assert "The same work: 133 nodes." in here("diff", "old.xfer", "spec.xfer", "--device", "cpu")


def git(folder, *words):
    who = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x", "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x"}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env={**os.environ, **who})


def test_a_revision_is_compared_with_its_own_specs_and_the_files_of_now(here):
    here.write("let before = {skip | a}\n", name="lib.xfer")
    (here.folder / "spec.xfer").write_text('use "lib.xfer"\nm -> before -> c @ x[de]\n')
    git(here.folder, "init", "-q")
    git(here.folder, "add", "spec.xfer", "lib.xfer")
    git(here.folder, "commit", "-qm", "first")
    here.write("let before = {skip | a | b}\n", name="lib.xfer")

    found = json.loads(here("diff", "HEAD:spec.xfer", "spec.xfer", "--device", "cpu", "--json", code=exits.ERROR))

    assert {"same": 11, "changed": 0, "added": 5, "removed": 0} == found["totals"]
    assert "`none.xfer` is not in revision" in here("diff", "HEAD:none.xfer", "spec.xfer", code=exits.USAGE)
    assert "git says" in here("diff", "NONE:spec.xfer", "spec.xfer", code=exits.USAGE)


# --- purity


def test_planning_writes_nothing_and_works_where_nothing_can_be_written(here):
    here.make()
    here.write(CHAIN.replace("| b}", "| b(lr: 3e-6)}"))
    before = {p: p.stat().st_mtime_ns for p in here.folder.rglob("*")}

    for words in ((), ("--json",), ("--full",), ("--mermaid",), ("--on", "H100")):
        here.plan(*words)

    assert before == {p: p.stat().st_mtime_ns for p in here.folder.rglob("*")}


def test_nothing_in_the_process_of_a_plan_writes_or_loads_what_computes(here, tmp_path):
    """Audited by the interpreter itself: each open for writing, each change of a folder, each socket."""
    here.make()
    here.write(CHAIN.replace("| b}", "| b(lr: 3e-6)}"))
    program = tmp_path / "audited.py"
    program.write_text(AUDITED)

    answer = subprocess.run(
        [sys.executable, program, "plan", "spec.xfer", "--device", "cpu"],
        cwd=here.folder, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip

    assert "42 to run" in answer.stdout
    assert [] == [line for line in answer.stderr.splitlines() if line.startswith("audit: ")]


@pytest.fixture
def read_only(here):
    """The folder of the spec and its store on a file system that nobody may write."""
    place = here.folder.parent / f"{here.folder.name}-mounted"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    shutil.copytree(here.folder, place, dirs_exist_ok=True, copy_function=shutil.copy2)
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def made(here):
    """A store with everything of an earlier form of the spec."""
    here.make()
    here.write(CHAIN.replace("| b}", "| b(lr: 3e-6)}"))


def started(folder, *before):
    """A plan in a process of its own."""
    places = {"XFER_STORE": str(folder / "store"), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*before, sys.executable, "-c", "from xfer.cli import entry; entry()", "plan", "spec.xfer", "--device", "cpu"],
        cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, **places},
    )  # fmt: skip


def test_a_plan_is_the_same_on_a_file_system_that_nobody_may_write(here, made, read_only):
    answer = started(read_only)

    assert "42 to run (42 re-run)" in answer.stdout
    assert not os.access(read_only / "store", os.W_OK)


@pytest.mark.skipif(shutil.which("strace") is None and "strace" not in REQUIRED, reason="there is no strace here")
def test_no_system_call_of_a_plan_changes_a_file_or_asks_the_network(here, made, tmp_path):
    log = tmp_path / "calls"

    answer = started(here.folder, "strace", "-f", "-qq", "-o", str(log), "-e", TRACED)

    calls = log.read_text().splitlines()
    assert "42 to run" in answer.stdout and len(calls) > 1000
    assert [] == [call for call in calls if CHANGING.search(call)]


LIVE = """\
model babel { weights: embedded("babel-mini") }
long: babel -> w-causes(steps: 2000, batch: 8) @ w-xcauses[qaa, qab](limit: 20)
"""


@pytest.mark.ml
@pytest.mark.skipif(shutil.which("strace") is None and "strace" not in REQUIRED, reason="there is no strace here")
def test_a_plan_beside_a_run_under_way_sees_what_is_done_and_held_and_touches_nothing(tmp_path):
    store, spec, log = tmp_path / "store", tmp_path / "spec.xfer", tmp_path / "calls"
    spec.write_text(LIVE)
    running = start(tmp_path, "run", spec)
    try:
        wait_for(lambda: any(e.get("event") == "progress" for e in events(store)), running)

        answer = started(tmp_path, "strace", "-f", "-qq", "-o", str(log), "-e", TRACED)
        goes_on = running.poll() is None
    finally:
        kill_all(running)

    assert goes_on
    assert re.search(r"Plan: 9 nodes: [1-4] cached, [5-8] to run \(.*1 held by another run", answer.stdout)
    assert "* babel" in answer.stdout or "* w-causes" in answer.stdout
    assert [] == [call for call in log.read_text().splitlines() if CHANGING.search(call)]


TRACED = "trace=%file,%network,ftruncate,fchmod"
CHANGING = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|\b(?:mkdir|rmdir|rename|unlink|link|symlink|creat|truncate|ftruncate|chmod|chown|utime|"
    r"fchmod|connect|bind|sendto)(?:at|at2|nsat)?\("
)
AUDITED = """\
import os, sys
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
           "shutil.rmtree", "tempfile.mkdtemp", "tempfile.mkstemp", "socket.connect", "socket.bind"}
def audit(event, arguments):
    if event in CHANGES:
        os.write(2, f"audit: {event} {arguments}\\n".encode())
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(2, f"audit: open {arguments}\\n".encode())
    if event == "import" and arguments[0] in ("torch", "transformers", "datasets", "tokenizers", "numpy"):
        os.write(2, f"audit: import {arguments[0]}\\n".encode())
sys.addaudithook(audit)
from xfer.cli import entry
entry()
"""
