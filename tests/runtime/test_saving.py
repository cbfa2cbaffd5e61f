"""What the hints tell to do of models that cannot be read is done, and then they can."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from compiler.saving import command, of_missing
from runtime import models
from runtime.errors import BadInput
from tests.compiling import compiled, found, nodes, plan_of
from tests.families import publish

pytestmark = pytest.mark.ml

SPEC = """
model m { weights: dir("MODEL") }
task a : masked-lm { data: files("rows.jsonl") source: en input: { text: "{{ text }}" } }
m -> a(max-length: 64)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a published model whose weights are pickled."""
    published = publish("rembert", tmp_path / "old")
    weights = tmp_path / "old" / "model.safetensors"
    torch.save(load_file(weights), tmp_path / "old" / "pytorch_model.bin")
    weights.unlink()
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "mask_token": "[MASK]"}
    (tmp_path / "old" / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path, published


def run(line):
    """A line for a shell, in this process: a fresh one takes seconds to load."""
    (code,) = re.findall(r'^python -c "([^"]+)"$', line)
    exec(code, {})  # noqa: S102


def test_pickled_weights_are_saved_as_the_hint_says(here):
    folder, published = here
    (finding,) = compiled(SPEC.replace("MODEL", "old"), folder).diagnostics
    assert "X0317" == finding.code

    (line,) = re.findall("`(python [^`]+)`", finding.hint)
    run(line)

    (model,) = nodes(plan_of(SPEC.replace("MODEL", "old-safetensors"), folder), models.Model)
    (folder / "node").mkdir()
    models.make(model.op, files := plan_of(SPEC.replace("MODEL", "old-safetensors"), folder).files, folder / "node")
    encoder = models.load_encoder(folder / "node", files, None)
    expected = published.base_model.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in encoder.state_dict().items())
    ids = [models.load_tokenizer(folder / name).encode("a b", "c").ids for name in ("old", "old-safetensors")]
    assert ids[0] == ids[1]


def test_what_it_writes_has_the_same_bytes_each_time(here):
    """A pooler that the weights lack is drawn anew: the digest of a model is its key."""
    folder, _ = here
    for target in ("one", "two"):
        run(command("old", target))
        torch.rand(3)

    assert (folder / "one" / "model.safetensors").read_bytes() == (folder / "two" / "model.safetensors").read_bytes()


def test_pickled_weights_are_told_of_before_a_tokenizer_that_is_missing_too(here):
    """One command mends both."""
    folder, _ = here
    (folder / "old" / "tokenizer.json").unlink()

    assert [("X0317", 'dir("old")')] == found(SPEC.replace("MODEL", "old"), folder)


def test_a_tokenizer_is_written_from_a_vocabulary_and_from_nothing_never():
    assert "save_pretrained('m')" in of_missing("tokenizer.json", "m", ["spm.model", "config.json"])
    assert "sentencepiece" in of_missing("tokenizer.json", "m", ["spm.model", "config.json"])
    assert "REPOSITORY" in of_missing("tokenizer.json", "m", ["config.json"])
    assert "revision='abc'" in command("some/model", "m", "abc")


def test_a_tokenizer_without_a_vocabulary_is_refused(tmp_path):
    publish("deberta-v2", tmp_path)
    empty = Tokenizer(WordLevel({"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3}, unk_token="[UNK]"))  # noqa: S106
    (tmp_path / models.ENCODER).mkdir()
    (tmp_path / "config.json").rename(tmp_path / models.ENCODER / "config.json")

    with pytest.raises(BadInput, match="has 4 tokens"):
        models.check_length(tmp_path, empty, 32)
