"""The tokenizer of the made-up languages: byte-pair encoding (Sennrich et al. 2016) learnt from their texts.

White space and special tokens are as in XLM-R. It is learnt anew only when the embedded model is made anew.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from runtime.world import texts
from runtime.world.languages import LANGUAGES
from runtime.world.parameters import World

SIZE = 1_500  # tokens
MAX_LENGTH = 96  # tokens
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # ids 0 to 3 as in XLM-R
LOW_RESOURCE_TIMES = (
    3  # a quarter of the texts counts three times: 0.25 to the power of 0.3, as XLM-R samples languages
)


def train_tokenizer(folder: Path, world: World) -> None:
    """Leave in the folder, made if need be, the files `transformers.AutoTokenizer` reads as a fast tokenizer.

    The same world gives the same bytes.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIALS[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=SIZE, special_tokens=list(SPECIALS), show_progress=False)
    tokenizer.train_from_iterator(_texts(world), trainer)
    ends = [(token, SPECIALS.index(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "tokenizer.json", json.loads(tokenizer.to_str()))
    _write(folder / "tokenizer_config.json", _config())


def _texts(world: World) -> Iterator[str]:
    """The training texts of all languages."""
    for language in LANGUAGES.values():
        for _ in range(LOW_RESOURCE_TIMES if language.low_resource else 1):
            yield from (str(row["text"]) for row in texts.rows("train", language, world))


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_LENGTH,
        "model_input_names": ["input_ids", "attention_mask"],
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
