"""Bad input: one clear message with its place and the way out, the right exit code, no traceback, nothing lost."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runtime import world
from tests.words import write_tokenizer
from xfer import exits
from xfer.cli import call

GOOD = """\
model tiny { weights: scratch(layers: 1, width: 16, heads: 2, tokenizer: dir("tokenizer")) }
task pairs : multiple-choice {
  data: files("{{ split }}.jsonl")
  source: qaa
  input: { context: "{{ premise }}", choices: ["{{ choice0 }}", "{{ choice1 }}"], label: "{{ label }}" }
}
tiny -> pairs(steps: 2, batch: 4, max-length: 32) @ pairs[*](split: dev)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a spec, its data and a tokenizer; the store lies beside it."""
    import json

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    write_tokenizer(tmp_path / "tokenizer")
    for split in ("train", "dev"):
        rows = world.rows("causes", split, "qaa")[:16]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "spec.xfer").write_text(GOOD)
    return tmp_path


def said(capsys):
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
    return captured.err


EDITS = {
    "misspelt model": ("tiny -> pairs", "tinny -> pairs", "spec.xfer:7:1", "did you mean `tiny`"),
    "misspelt task": ("tiny -> pairs", "tiny -> pears", "spec.xfer:7:9", "did you mean `pairs`"),
    "misspelt target": ("@ pairs[*]", "@ paris[*]", "spec.xfer:7:53", "did you mean `pairs`"),
    "unknown language": ("@ pairs[*]", "@ pairs[sw]", "spec.xfer:7:59", "it has `qaa`"),
    "misspelt key": ("steps: 2", "stps: 2", "spec.xfer:7:15", "did you mean `steps`"),
    "underscored key": ("max-length", "max_length", "spec.xfer:7:35", "`max-length`"),
    "wrong type": ("steps: 2", "steps: many", "spec.xfer:7:22", "a whole number"),
    "out of range": ("steps: 2", "steps: 2, lr: 2", "spec.xfer:7:29", "did you mean `2e-5`"),
    "missing bracket": ("[*](split: dev)", "[*](split: dev", "spec.xfer:7:61", "is not closed"),
    "missing file": ("{{ split }}.jsonl", "{{ split }}s.jsonl", "spec.xfer:7:9", "no split at all"),
    "missing folder": ('dir("tokenizer")', 'dir("tokeniser")', "spec.xfer:1:", "did you mean `tokenizer`"),
    "outside folder": ('dir("tokenizer")', 'dir("/usr")', "spec.xfer:1:", "--allow-path"),
    "unknown root": ('dir("tokenizer")', 'dir("@data/x")', "spec.xfer:1:", "--root data=DIR"),
    "broken template": ("{{ premise }}", "{{ premise", "spec.xfer:5:", "template"),
    "unknown split": ("split: dev", "split: test", "spec.xfer:7:", "its data have: train, dev"),
    "another tool's key": ("steps: 2", "learning-rate: 1e-4", "spec.xfer:7:15", "it is called `lr` here"),
    "a list for a choice": ("steps: 2", "lr: [1e-4, 2e-4]", "spec.xfer:7:19", "`lr: {1e-4 | 2e-4}`"),
    "a template without quotes": ('"{{ label }}"', "{{ label }}", "spec.xfer:5:", "stands in quotes"),
    "contamination": ("split: dev", "split: train", "spec.xfer:7:", "trains on"),
}


@pytest.mark.parametrize("edit", EDITS, ids=EDITS)
@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_a_wrong_spec_is_told_with_its_place_and_the_way_out(here, capsys, edit, command):
    old, new, place, says = EDITS[edit]
    assert old in GOOD
    (here / "spec.xfer").write_text(GOOD.replace(old, new, 1) if "@" not in old else GOOD.replace(old, new))

    code = call([command, "spec.xfer"])

    text = said(capsys)
    assert exits.USAGE == code
    assert 1 == text.count("error["), text
    assert place in text
    assert says in text
    assert not (here / "store").exists()


@pytest.mark.ml
def test_a_template_over_a_missing_column_fails_before_the_first_step(here, capsys):
    (here / "spec.xfer").write_text(GOOD.replace("{{ premise }}", "{{ premis }}"))

    code = call(["run", "spec.xfer"])

    text = said(capsys)
    assert exits.ERROR == code
    assert "spec.xfer:5:21" in text
    assert "The columns are" in text and "`premise`" in text
    assert "ran tiny -> pairs" not in text


@pytest.mark.ml
def test_a_node_that_fails_leaves_the_others_and_the_next_run_goes_on(here, capsys):
    (here / "dev.jsonl").write_text('{"premise": "a", "choice0": "b", "choice1": "c", "label": 7}\n')

    assert exits.ERROR == call(["run", "spec.xfer"])
    assert "`label` is 7" in said(capsys)

    (here / "dev.jsonl").write_text('{"premise": "a", "choice0": "b", "choice1": "c", "label": 1}\n')
    assert exits.OK == call(["run", "spec.xfer"])
    assert "3 ran, 0 failed" in said(capsys), "the training was kept"


@pytest.mark.ml
@pytest.mark.parametrize("damage", ["garbage", "truncated"])
def test_corrupt_weights_are_one_message_at_the_models_place(here, capsys, damage):
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(1)
    config = XLMRobertaConfig(vocab_size=1500, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(here / "mine")
    shutil.copyfile(here / "tokenizer" / "tokenizer.json", here / "mine" / "tokenizer.json")
    weights = here / "mine" / "model.safetensors"
    weights.write_bytes(b"x" * 99 if damage == "garbage" else weights.read_bytes()[:-99])
    lines = GOOD.splitlines(keepends=True)
    (here / "spec.xfer").write_text('model tiny { weights: dir("mine") }\n' + "".join(lines[1:]))

    code = call(["run", "spec.xfer"])

    text = said(capsys)
    assert exits.ERROR == code
    assert "cannot be read" in text
    assert "mine" in text


def test_pickled_weights_are_refused(here, capsys):
    (here / "mine").mkdir()
    for name in ("config.json", "tokenizer.json", "pytorch_model.bin"):
        (here / "mine" / name).write_text("{}")
    (here / "spec.xfer").write_text('model tiny { weights: dir("mine") }\n' + "".join(GOOD.splitlines(True)[1:]))

    assert exits.USAGE == call(["plan", "spec.xfer"])
    text = said(capsys)
    assert "pytorch_model.bin" in text and "safetensors" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the spec is empty"),
        (b"# nothing\n\n", "the spec is empty"),
        (b"model m { weights: \xff\xfe }", "not UTF-8"),
        (bytes(range(32, 256)) * 4, "not UTF-8"),
        (b"a -> b\n" * 150_000, "500,000"),
        (b"{" * 100_000, "error["),
        (b"\x00\x01\x02", "control character"),
    ],
    ids=["empty", "only a comment", "bad bytes", "binary", "a megabyte", "brackets", "control"],
)
def test_a_file_that_is_no_spec_is_one_message(here, capsys, content, says):
    (here / "spec.xfer").write_bytes(content)

    for command in ("check", "plan", "run", "results"):
        assert exits.USAGE == call([command, "spec.xfer"])
        text = said(capsys)
        assert says in text, text
        assert 1 == text.count("error["), text
        assert "spec.xfer:1:" in text


def test_a_missing_spec_suggests_the_one_that_is_there(here, capsys):
    assert exits.USAGE == call(["plan", "spek.xfer"])
    assert "did you mean `spec.xfer`" in said(capsys)


def test_a_folder_is_no_spec(here, capsys):
    assert exits.USAGE == call(["plan", "."])
    assert "is a folder" in said(capsys)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan"], "Missing argument"),
        (["plan", "spec.xfer", "--nope"], "No such option"),
        (["paln", "spec.xfer"], "No such command"),
        (["plan", "spec.xfer", "--root", "x"], "NAME=DIR"),
        (["plan", "spec.xfer", "--root", "x=nowhere"], "no folder"),
        (["plan", "spec.xfer", "--device", "cuda"], "no CUDA device"),
    ],
)
def test_wrong_usage_is_exit_2(here, capsys, monkeypatch, arguments, says):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert exits.USAGE == call(arguments)
    assert says in said(capsys)


def test_a_broken_configuration_is_named(here, capsys):
    (here / "xfer.toml").write_text("store = [")

    assert exits.USAGE == call(["plan", "spec.xfer"])
    assert "xfer.toml" in said(capsys)


def test_a_store_that_cannot_be_made_is_store_trouble_before_any_work(here, capsys):
    (here / "file").write_text("")

    assert exits.STORE == call(["run", "spec.xfer", "--store", "file/store"])
    text = said(capsys)
    assert "--store" in text and "free" in text


@pytest.fixture
def read_only(here):
    """A file system that takes no writes; root may write anywhere else."""
    (here / "store").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(here / "store")]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a read-only file system here")
    yield here / "store"
    subprocess.run(["umount", str(here / "store")], check=True)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_store_can_be_planned_but_not_run(capsys):
    assert exits.OK == call(["plan", "spec.xfer"])
    said(capsys)

    assert exits.STORE == call(["run", "spec.xfer"])
    text = said(capsys)
    assert "read-only file system" in text and "--store" in text


def test_a_bug_of_ours_is_told_apart(here, capsys, monkeypatch):
    from xfer import api

    monkeypatch.setattr(api, "compile", lambda *_a, **_k: 1 / 0)

    assert exits.BUG == call(["plan", "spec.xfer"])
    text = said(capsys)
    assert "This is a bug in xfer: ZeroDivisionError" in text
    log = Path(next(w.rstrip(".,") for w in text.split() if "/xfer-" in w))
    assert "1 / 0" in log.read_text()
    log.unlink()


@pytest.mark.ml
def test_code_runs_only_when_it_is_allowed(here, capsys):
    (here / "mine.py").write_text(
        "import json\ndef rows(split, language):\n    yield from map(json.loads, open(f'{split}.jsonl'))\n"
    )
    (here / "spec.xfer").write_text(GOOD.replace('files("{{ split }}.jsonl")', 'python("mine:rows")'))

    assert exits.ERROR == call(["run", "spec.xfer"])
    text = said(capsys)
    assert "spec.xfer:3:9" in text and "--allow-code" in text
    assert not (here / "store").exists()
    assert exits.OK == call(["run", "spec.xfer", "--allow-code"])


@pytest.mark.ml
@pytest.mark.parametrize("written", ["{ choice0 }", "choice0"])
def test_a_column_without_its_braces_is_no_text(here, capsys, written):
    (here / "spec.xfer").write_text(GOOD.replace("{{ choice0 }}", written))

    assert exits.ERROR == call(["run", "spec.xfer"])
    text = said(capsys)
    assert "spec.xfer:5:47" in text
    assert "`{{ choice0 }}`" in text


@pytest.mark.ml
def test_one_mistake_in_many_data_sets_is_told_once(here, capsys):
    (here / "spec.xfer").write_text(GOOD.replace("{{ premise }}", "{{ premis }}"))

    assert exits.ERROR == call(["run", "spec.xfer"])
    text = said(capsys)
    assert 1 == text.count("error: ")
    assert "and 1 more failed" in text


def test_options_of_the_python_interface_are_checked(here):
    import xfer

    (here / "data").mkdir()
    options = xfer.Options(store=str(here / "elsewhere"), device="cpu", roots={"d": str(here / "data")})

    study = xfer.compile("spec.xfer", options)

    assert (here / "elsewhere") == study.store().root
    assert {"d": here / "data"} == dict(study.places.roots)
    with pytest.raises(xfer.api.UsageError, match="no device `gpu`"):
        xfer.Options(device="gpu")
    (here / "spec.xfer").write_text(GOOD.replace("steps", "stps"))
    with pytest.raises(xfer.SpecError, match=r"spec.xfer:7:15: there is no setting `stps`"):
        xfer.run(xfer.compile("spec.xfer"))
