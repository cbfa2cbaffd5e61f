"""Models and data from a hub: pinned by content, a message for each fault, never half used."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from runtime import world
from tests import hub_server
from tests.programs import PROGRAM, environment
from xfer import exits

pytestmark = pytest.mark.ml

EMBEDDED = Path(world.__file__).parent / "babel-mini"
TASK = """\
task t : multiple-choice {{
  data: {data}
  source: qaa  languages: [qaa, qab]
  input: {{ context: "{{{{ premise }}}}"  question: "{{{{ ask }}}}"
    choices: ["{{{{ choice0 }}}}", "{{{{ choice1 }}}}"]  label: "{{{{ label }}}}" }}
  split: dev
}}
model m {{ weights: {weights} }}
m -> t(steps: 2, batch: 4, max-length: 64) @ t[*]
"""
REMOTE = TASK.format(weights='hf("tiny/babel")', data='hf("tiny/causes", config: "{{ language }}")')
LOCAL = TASK.format(weights='dir("local/babel")', data='files("local/causes/{{ language }}/{{ split }}.jsonl")')
README = """\
---
configs:
- config_name: qaa
  data_files:
  - {split: train, path: qaa/train.jsonl}
  - {split: validation, path: qaa/dev.jsonl}
- config_name: qab
  data_files:
  - {split: train, path: qab/train.jsonl}
  - {split: validation, path: qab/dev.jsonl}
---
"""


def model_files():
    names = ("config.json", "model.safetensors", "tokenizer.json")
    return {name: (EMBEDDED / name).read_bytes() for name in names}


def data_files():
    found = {"README.md": README.encode()}
    for language in ("qaa", "qab"):
        for split in ("train", "dev"):
            rows = world.rows("causes", split, language)[:20]
            text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
            found[f"{language}/{split}.jsonl"] = text.encode()
    return found


@pytest.fixture
def hub():
    with hub_server.serving() as hub:
        hub.publish("model", "tiny/babel", model_files())
        hub.publish("dataset", "tiny/causes", data_files())
        yield hub


@pytest.fixture
def here(tmp_path):
    (tmp_path / "remote.xfer").write_text(REMOTE)
    return tmp_path


def call(here, hub, *arguments, address=None, store="store", **more):
    """A command that asks `hub`, in a home of its own: its exit code and what it said."""
    import subprocess

    hugging = {"HF_ENDPOINT": address or hub.address, "HF_HOME": str(here / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=here,
        env={**environment(here / store), "HF_TOKEN": "", "HF_HUB_DOWNLOAD_TIMEOUT": "5", **hugging, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


NOWHERE = "http://127.0.0.1:9"  # the port that discards: nobody listens


def keys(here, hub, spec):
    code, said = call(here, hub, "plan", spec, "--json")
    assert exits.OK == code, said
    return [n["key"] for n in json.loads(said)["nodes"]]


def scores(here, hub, spec, store="store"):
    code, said = call(here, hub, "results", spec, "--json", store=store)
    assert exits.OK == code, said
    return [(s["language"], s["value"], s["n"]) for s in json.loads(said)["scores"]]


def write_local(here, text=LOCAL):
    for name, data in {f"babel/{n}": d for n, d in model_files().items()}.items():
        (here / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "local" / name).write_bytes(data)
    for name, data in data_files().items():
        (here / "local" / "causes" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "local" / "causes" / name).write_bytes(data)
    (here / "local.xfer").write_text(text)


def test_the_hub_and_local_files_of_the_same_content_are_the_same_work(here, hub):
    write_local(here)
    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.OK == code, said

    assert keys(here, hub, "remote.xfer") == keys(here, hub, "local.xfer")
    assert scores(here, hub, "remote.xfer") == scores(here, hub, "local.xfer")
    code, said = call(here, hub, "run", "local.xfer", store="other")
    assert exits.OK == code, said
    assert scores(here, hub, "local.xfer", store="other") == scores(here, hub, "remote.xfer")
    assert 20 == scores(here, hub, "remote.xfer")[0][2]


def test_planning_asks_nobody_and_names_what_is_not_pinned(here, hub):
    for command in ("check", "plan"):
        code, said = call(here, hub, command, "remote.xfer")
        assert exits.OK == code, said
    assert "unpinned" in said and not hub.asked

    code, said = call(here, hub, "lock", "remote.xfer")

    assert exits.OK == code, said
    assert "tiny/babel" in said and "tiny/causes" in said and "qaa: train" in said
    hub.asked.clear()
    code, said = call(here, hub, "plan", "remote.xfer")
    assert "unpinned" not in said and not hub.asked
    code, said = call(here, hub, "lock", "remote.xfer")
    assert "0 resolved now" in said and not hub.asked


def test_the_lock_holds_commits_and_contents(here, hub):
    call(here, hub, "lock", "remote.xfer")
    lock = json.loads((here / "xfer.lock").read_text())

    model, data = lock["models"]["tiny/babel"], lock["data"]["tiny/causes"]
    assert model["revision"] == hub.find("model", "tiny/babel", "main")[0]
    assert data["revision"] == hub.find("dataset", "tiny/causes", "main")[0]
    assert {"config.json", "model.safetensors", "tokenizer.json"} == set(model["files"])
    assert model["layers"] and model["parameters"] and 96 == model["positions"]
    assert {"qaa", "qab"} == set(data["configs"])
    split = data["configs"]["qaa"]["train"]
    assert "jsonl" == split["format"] and split["bytes"] == len(data_files()["qaa/train.jsonl"])


def test_what_is_pinned_stays_when_the_hub_moves_on(here, hub):
    call(here, hub, "lock", "remote.xfer")
    before = keys(here, hub, "remote.xfer")
    old = hub.find("dataset", "tiny/causes", "main")[0]
    changed = data_files()
    changed["qaa/train.jsonl"] = b"\n".join(changed["qaa/train.jsonl"].splitlines()[::-1]) + b"\n"
    hub.publish("dataset", "tiny/causes", changed)

    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.OK == code, said
    assert before == keys(here, hub, "remote.xfer")

    code, said = call(here, hub, "lock", "remote.xfer", "--update")
    assert exits.OK == code, said
    assert before != keys(here, hub, "remote.xfer")
    moved = f"tiny/causes: {old[:12]} → {hub.find('dataset', 'tiny/causes', 'main')[0][:12]}"
    assert f"{moved}, other bytes in qaa/train.jsonl" in said
    code, said = call(here, hub, "plan", "remote.xfer")
    new = hub.find("dataset", "tiny/causes", "main")[0]
    assert "re-run" in said and f"other data, `tiny/causes` at {old[:12]} → {new[:12]} (remote.xfer:2:9)" in said
    code, said = call(here, hub, "why", "remote.xfer", "data t train[qaa]")
    assert exits.OK == code, said
    assert "another revision of a repository" in said and "`qaa/train.jsonl`" in said and "`qaa/dev.jsonl`" not in said


def test_with_the_lock_and_no_network_what_is_cached_plans_and_runs(here, hub):
    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.OK == code, said
    first = scores(here, hub, "remote.xfer")
    shutil.rmtree(here / "store" / "objects")
    (here / "store" / "index.sqlite").unlink()

    for more in ({"address": NOWHERE}, {"HF_HUB_OFFLINE": "1"}):
        code, said = call(here, hub, "plan", "remote.xfer", **more)
        assert exits.OK == code and "unpinned" not in said
        code, said = call(here, hub, "run", "remote.xfer", **more)
        assert exits.OK == code, said
        assert first == scores(here, hub, "remote.xfer")


@pytest.mark.parametrize("more", [{"address": NOWHERE}, {"HF_HUB_OFFLINE": "1"}], ids=["no network", "offline mode"])
def test_without_lock_and_network_the_place_and_the_reason_are_told_at_once(here, hub, more):
    began = time.monotonic()
    code, said = call(here, hub, "run", "remote.xfer", **more)

    assert exits.ERROR == code
    assert "remote.xfer:8:20" in said and ("cannot be reached" in said or "HF_HUB_OFFLINE" in said)
    assert "Traceback" not in said and not (here / "store").exists() and not (here / "xfer.lock").exists()
    assert time.monotonic() - began < 60, "a hang"


def test_a_hub_that_never_answers_is_given_up(here, hub):
    """A socket that takes the connection and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, said = call(here, hub, "run", "remote.xfer", address=f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert exits.ERROR == code
    assert "cannot be reached" in said and "go on when it is back" in said


def drop(hub, sort, name, path):
    _, files = hub.find(sort, name, "main")
    del files[path]


def no_config(hub):
    hub.publish("dataset", "tiny/causes", {**data_files(), "README.md": README.replace("qab", "qac").encode()})


def packed():
    files = {n: d for n, d in data_files().items() if not n.startswith("qa")}
    return {**files, **{f"{n}.gz": b"x" for n in data_files() if n.startswith("qa")}} | {
        "README.md": README.replace("jsonl", "jsonl.gz").encode()
    }


FAULTS = {
    "missing model": (lambda h: h.repositories.pop(("model", "tiny/babel")), "has no model `tiny/babel`", ":8:20"),
    "missing data": (lambda h: h.repositories.pop(("dataset", "tiny/causes")), "has no dataset `tiny/causes`", ":2:9"),
    "private": (lambda h: h.private.add(("model", "tiny/babel")), "set HF_TOKEN", ":8:20"),
    "gated model": (lambda h: h.gated.add(("model", "tiny/babel")), "`tiny/babel` is gated", ":8:20"),
    "gated data": (lambda h: h.gated.add(("dataset", "tiny/causes")), "ask for access at", ":2:9"),
    "trouble": (lambda h: setattr(h, "broken", True), "answers with status 503", ":8:20"),
    "no weights": (lambda h: drop(h, "model", "tiny/babel", "model.safetensors"), "no safetensors", ":8:20"),
    "no tokenizer": (lambda h: drop(h, "model", "tiny/babel", "tokenizer.json"), "no `tokenizer.json`", ":8:20"),
    "no config": (no_config, "cannot be read", ":2:9"),
    "packed": (lambda h: h.publish("dataset", "tiny/causes", packed()), "packed", ":2:9"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_hub_has_its_message_and_its_place(here, hub, fault):
    cause, words, place = FAULTS[fault]
    cause(hub)

    code, said = call(here, hub, "run", "remote.xfer")

    assert exits.ERROR == code, said
    assert words in said and f"remote.xfer{place}" in said
    assert "Traceback" not in said and "bug" not in said
    assert not (here / "store").exists()


@pytest.mark.parametrize("lacks", ["model.safetensors", "tokenizer.json"])
def test_what_cannot_be_read_is_told_with_the_command_that_makes_it_so(here, hub, lacks):
    drop(hub, "model", "tiny/babel", lacks)

    _, said = call(here, hub, "run", "remote.xfer")

    words = " ".join(said.split())
    assert "[c.from_pretrained('tiny/babel').save_pretrained('models/babel')" in words
    assert 'dir("models/babel")' in words and "pip install sentencepiece protobuf" in words


def test_the_configurations_that_there_are_are_named(here, hub):
    for config in ("", ', config: "wrong"'):
        text = REMOTE.replace(', config: "{{ language }}"', config)
        (here / "remote.xfer").write_text(text)

        code, said = call(here, hub, "lock", "remote.xfer")

        assert exits.ERROR == code
        assert "'qaa', 'qab'" in said and "remote.xfer:2:9" in said


def test_a_split_that_the_repository_lacks_is_told_with_those_it_has(here, hub):
    (here / "remote.xfer").write_text(REMOTE.replace("split: dev", "split: test"))

    code, said = call(here, hub, "lock", "remote.xfer")

    assert exits.USAGE == code
    assert "no test split" in said and "train, dev" in said


def test_a_length_beyond_the_positions_of_a_pinned_model_is_found_before_anything_runs(here, hub):
    (here / "remote.xfer").write_text(REMOTE.replace("max-length: 64", "max-length: 97"))

    code, said = call(here, hub, "run", "remote.xfer")

    assert exits.USAGE == code
    assert "`max-length` is 97, and the model has 96 positions" in said
    assert not (here / "store").exists()


def test_a_token_of_the_environment_opens_what_is_private_and_gated(here, hub):
    hub.private.add(("model", "tiny/babel"))
    hub.gated.add(("dataset", "tiny/causes"))

    code, said = call(here, hub, "run", "remote.xfer", HF_TOKEN=hub_server.TOKEN)

    assert exits.OK == code, said
    assert hub_server.TOKEN not in said + (here / "xfer.lock").read_text()


def test_a_revision_of_the_spec_is_what_is_pinned(here, hub):
    old = hub.find("model", "tiny/babel", "main")[0]
    hub.publish("model", "tiny/babel", {**model_files(), "config.json": b"{}"})
    (here / "remote.xfer").write_text(REMOTE.replace('hf("tiny/babel")', f'hf("tiny/babel", revision: "{old}")'))

    assert exits.OK == call(here, hub, "lock", "remote.xfer")[0]

    assert old == json.loads((here / "xfer.lock").read_text())["models"][f"tiny/babel@{old}"]["revision"]
    (here / "remote.xfer").write_text(REMOTE.replace('hf("tiny/babel")', f'hf("tiny/babel", revision: "{"0" * 40}")'))
    code, said = call(here, hub, "lock", "remote.xfer")
    assert exits.ERROR == code and "no such revision" in said


def test_a_download_that_breaks_off_is_gone_on_with_and_never_used_half(here, hub):
    call(here, hub, "lock", "remote.xfer")
    hub.cut["model.safetensors"] = 1000

    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.ERROR == code, said
    assert "tiny/babel" in said and "Traceback" not in said
    assert not (here / "store" / "objects").exists() or not any((here / "store" / "objects").iterdir())

    hub.cut.clear()
    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.OK == code, said
    assert "downloading model.safetensors of tiny/babel" in said


def test_other_bytes_than_were_pinned_are_never_used(here, hub):
    call(here, hub, "lock", "remote.xfer")
    _, files = hub.find("model", "tiny/babel", "main")
    data = bytearray(files["model.safetensors"])
    data[-1] ^= 1
    files["model.safetensors"] = bytes(data)

    code, said = call(here, hub, "run", "remote.xfer")

    assert exits.ERROR == code
    assert "has other bytes than `xfer.lock` says" in said and "remove" in said


def test_a_cached_file_that_was_cut_is_fetched_again(here, hub):
    assert exits.OK == call(here, hub, "run", "remote.xfer")[0]
    shutil.rmtree(here / "store")
    (cached,) = (here / "hf").rglob("snapshots/*/model.safetensors")
    cached.resolve().write_bytes(b"half")

    code, said = call(here, hub, "run", "remote.xfer", address=NOWHERE)
    assert exits.ERROR == code and "cannot be reached" in said
    code, said = call(here, hub, "run", "remote.xfer")
    assert exits.OK == code, said


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format_version": 99, "models": {}, "data": {}}', '{"format_version": 1}']
)
def test_a_broken_lock_is_a_message(here, hub, text):
    (here / "xfer.lock").write_text(text)

    code, said = call(here, hub, "plan", "remote.xfer")

    assert exits.USAGE == code
    assert "xfer.lock" in said and "xfer lock" in said and "Traceback" not in said


def test_a_local_folder_of_the_name_is_not_taken_for_the_repository(here, hub):
    (here / "tiny" / "causes").mkdir(parents=True)
    (here / "tiny" / "causes" / "train.jsonl").write_text('{"a": 1}\n')

    code, said = call(here, hub, "lock", "remote.xfer")

    assert exits.OK == code, said
    assert "qaa: train" in said


def test_the_lock_is_read_in_the_same_order_whoever_writes_it(here, hub):
    call(here, hub, "lock", "remote.xfer")
    first = (here / "xfer.lock").read_bytes()
    os.unlink(here / "xfer.lock")  # noqa: PTH108
    shutil.rmtree(here / "hf")

    call(here, hub, "lock", "remote.xfer")

    assert first == (here / "xfer.lock").read_bytes()


def test_data_on_the_hub_are_looked_at_without_the_weights(here, hub):
    """Unpinned they are an error with the way out; pinned, rows and tokenizer are downloaded, and nothing else."""
    code, said = call(here, hub, "data", "remote.xfer", "t[qab]")
    assert exits.ERROR == code
    assert "xfer lock SPEC" in said

    assert exits.OK == call(here, hub, "lock", "remote.xfer")[0]
    hub.asked.clear()
    code, said = call(here, hub, "data", "remote.xfer", "t[qab]", "--examples", "0")

    assert exits.OK == code, said
    assert "t dev[qab] · multiple-choice, max-length 64\n  20 rows" in said
    asked = [path for _, path in hub.asked]
    assert any("tokenizer.json" in path for path in asked)
    assert not any("safetensors" in path for path in asked)


# --- files by their names, of repositories whose loading is a script

BY_NAME = TASK.format(weights='hf("tiny/babel")', data='hf("tiny/causes", files: "{{ language }}/{{ split }}.jsonl")')


def test_files_by_name_are_the_same_work_as_the_configurations_that_hold_them(here, hub):
    (here / "named.xfer").write_text(BY_NAME)
    write_local(here)
    assert exits.OK == call(here, hub, "lock", "remote.xfer")[0]
    _, files = hub.find("dataset", "tiny/causes", "main")
    hub.publish("dataset", "tiny/causes", {**files, "README.md": b"", "causes.py": b"raise SystemExit"})

    code, said = call(here, hub, "lock", "named.xfer")

    assert exits.OK == code, said
    configs = json.loads((here / "xfer.lock").read_text())["data"]["tiny/causes"]["configs"]
    assert ["qaa/train.jsonl"] == list(configs["qaa/train.jsonl"][""]["files"])
    assert keys(here, hub, "named.xfer") == keys(here, hub, "local.xfer")
    code, said = call(here, hub, "run", "named.xfer")
    assert exits.OK == code, said


def test_a_file_that_the_repository_lacks_is_told_with_what_lies_near(here, hub):
    (here / "named.xfer").write_text(BY_NAME.replace("{{ split }}.jsonl", "{{ split }}.tsv"))

    code, said = call(here, hub, "lock", "named.xfer")

    assert exits.ERROR == code
    assert "has no file `qaa/train.tsv`" in said and "`qaa/train.jsonl`" in said and "named.xfer:2:9" in said


def test_files_leave_no_configuration_to_say(here, hub):
    (here / "named.xfer").write_text(BY_NAME.replace("files:", 'config: "x", files:'))

    code, said = call(here, hub, "check", "named.xfer")

    assert exits.USAGE == code
    assert "leaves no `config` or `splits` to say" in said


def test_a_pattern_names_the_same_files_on_the_hub_as_in_a_folder(tmp_path):
    from compiler.places import Places, matches

    names = ("data/a.parquet", "data/old/b.parquet", "data/.c.parquet", "data/ab.parquet", "e.parquet")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for pattern in ("data/*.parquet", "data/?.parquet", "*", "*/*/*", "data/.*", "data/[a].parquet", "e.parquet"):
        local = {str(p.relative_to(tmp_path)) for p in Places(tmp_path).matching(pattern)}
        assert local == {name for name in names if matches(name, pattern)}, pattern


def test_what_a_reference_was_pinned_to_stays_when_more_of_it_is_asked_for(here, hub):
    """`refs/…` moves as a branch does: a second lock adds files of the commit that is pinned."""
    by_name = BY_NAME.replace("files:", 'revision: "refs/convert/parquet", files:')
    first = next(iter(hub.repositories["dataset", "tiny/causes"]))
    hub.references["refs/convert/parquet"] = first
    (here / "named.xfer").write_text(by_name.replace("[qaa, qab]", "[qaa]"))
    code, said = call(here, hub, "lock", "named.xfer")
    assert exits.OK == code, said
    hub.references["refs/convert/parquet"] = hub.publish("dataset", "tiny/causes", {**data_files(), "new.txt": b"x"})
    (here / "named.xfer").write_text(by_name)

    code, said = call(here, hub, "lock", "named.xfer")

    assert exits.OK == code, said
    found = json.loads((here / "xfer.lock").read_text())["data"]["tiny/causes@refs/convert/parquet"]
    assert first == found["revision"]
    assert {"qaa/dev.jsonl", "qaa/train.jsonl", "qab/dev.jsonl"} <= set(found["configs"])
