"""The tokenizer's files give a fast tokenizer of transformers in the conventions of XLM-R."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from runtime.world import LANGUAGES, rows, vocabulary, write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return AutoTokenizer.from_pretrained(folder)


def test_special_tokens_stand_where_xlm_r_has_them(tokenizer: PreTrainedTokenizerFast) -> None:
    last = len(vocabulary()) + 4

    assert ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] == tokenizer.convert_ids_to_tokens([0, 1, 2, 3, last])
    assert last == tokenizer.mask_token_id == len(tokenizer) - 1
    assert (0, 1, 2, 3) == (
        tokenizer.cls_token_id,
        tokenizer.pad_token_id,
        tokenizer.sep_token_id,
        tokenizer.unk_token_id,
    )
    assert tokenizer.is_fast


def test_a_pair_is_joined_as_in_xlm_r(tokenizer: PreTrainedTokenizerFast) -> None:
    row = rows("causes", "dev", "qac")[0]
    encoded = tokenizer(str(row["premise"]), str(row["choice0"]))
    words = [str(row[name]).split() for name in ("premise", "choice0")]

    assert ["<s>", *words[0], "</s>", "</s>", *words[1], "</s>"] == encoded.tokens()
    assert {"input_ids", "attention_mask"} == set(encoded)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_text_survives_the_round_trip(tokenizer: PreTrainedTokenizerFast, code: str) -> None:
    texts = [str(row["text"]) for row in rows("text", "dev", code)]
    ids = tokenizer(texts)["input_ids"]

    assert texts == tokenizer.batch_decode(ids, skip_special_tokens=True)
    assert tokenizer.unk_token_id not in {number for one in ids for number in one}


def test_a_mask_is_read_as_one_token_and_an_unknown_word_as_unknown(tokenizer: PreTrainedTokenizerFast) -> None:
    assert [0, tokenizer.mask_token_id, 3, 2] == tokenizer("<mask> nosuchword")["input_ids"]


def test_the_files_are_the_same_each_time(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "one")
    write_tokenizer(tmp_path / "two")

    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
