"""The tokenizer that ships: a real subword tokenizer in the conventions of XLM-R, learnt from the world's texts."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from bench.cells import SPECS, TOKENIZERS
from runtime import world
from runtime.world import LANGUAGES, rows
from runtime.world.tokenizer import SIZE, train_tokenizer
from tests.world.meanings import words

SHIPPED = Path(world.__file__).parent / "babel-mini"
CELLS = SPECS / "tokenizers"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(SHIPPED)


def test_special_tokens_stand_where_xlm_r_has_them(tokenizer: PreTrainedTokenizerFast) -> None:
    assert ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] == tokenizer.convert_ids_to_tokens([0, 1, 2, 3, 4])
    assert SIZE == len(tokenizer)
    assert (0, 1, 2, 3, 4) == (
        tokenizer.cls_token_id,
        tokenizer.pad_token_id,
        tokenizer.sep_token_id,
        tokenizer.unk_token_id,
        tokenizer.mask_token_id,
    )
    assert tokenizer.is_fast


def test_a_pair_is_joined_as_in_xlm_r(tokenizer: PreTrainedTokenizerFast) -> None:
    row = rows("causes", "dev", "qac")[0]
    premise, choice = str(row["premise"]), str(row["choice0"])
    encoded = tokenizer(premise, choice)

    assert [
        "<s>",
        *tokenizer.tokenize(premise),
        "</s>",
        "</s>",
        *tokenizer.tokenize(choice),
        "</s>",
    ] == encoded.tokens()
    assert {"input_ids", "attention_mask"} == set(encoded)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_text_survives_the_round_trip(tokenizer: PreTrainedTokenizerFast, code: str) -> None:
    texts = [str(row["text"]) for row in rows("text", "dev", code)]
    ids = tokenizer(texts)["input_ids"]

    assert texts == tokenizer.batch_decode(ids, skip_special_tokens=True)
    assert tokenizer.unk_token_id not in {number for one in ids for number in one}


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_are_cut_into_few_pieces_and_some_into_several(tokenizer: PreTrainedTokenizerFast, code: str) -> None:
    texts = [str(row["text"]) for row in rows("text", "dev", code)]
    pieces = [len(tokenizer.tokenize(word)) for text in texts for word in words(text)]

    assert 1.0 < sum(pieces) / len(pieces) < 3
    assert max(pieces) > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "made_from"),
    [(SHIPPED, world.World()), *((CELLS / name, knobs) for name, knobs in TOKENIZERS.items())],
)
def test_the_shipped_tokenizers_are_what_their_texts_give(tmp_path: Path, folder: Path, made_from: world.World) -> None:
    train_tokenizer(tmp_path, made_from)

    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
