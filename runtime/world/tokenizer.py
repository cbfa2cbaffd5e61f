"""The tokenizer of the made-up languages: a word is a token, in the conventions of XLM-R."""

import json
from collections.abc import Sequence
from pathlib import Path

from runtime.world.languages import vocabulary

MAX_LENGTH = 64  # tokens
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")  # ids 0 to 3, as in XLM-R; `<mask>` is the last
MASK = "<mask>"


def write_tokenizer(folder: Path) -> None:
    """Leave in the folder, made if need be, the files `transformers.AutoTokenizer` reads as a fast tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "tokenizer.json", _tokenizer())
    _write(folder / "tokenizer_config.json", _config())


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _tokens() -> tuple[str, ...]:
    """All tokens; the id of each is its place."""
    return (*SPECIALS, *vocabulary(), MASK)


def _tokenizer() -> dict[str, object]:
    """The format of the library `tokenizers`: words between white space, `<s> A </s>` or `<s> A </s></s> B </s>`."""
    ids = {token: n for n, token in enumerate(_tokens())}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(token, ids[token]) for token in (*SPECIALS, MASK)],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": _template("<s>", "A", "</s>"),
            "pair": _template("<s>", "A", "</s>", "</s>", "B", "</s>"),
            "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in ("<s>", "</s>")},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"},
    }


def _added(token: str, number: int) -> dict[str, object]:
    flags = {"single_word": False, "lstrip": token == MASK, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": token, **flags}


def _template(*pieces: str) -> Sequence[dict[str, object]]:
    """The pieces in order, with type id 0 throughout: XLM-R has a single type."""
    return [{"Sequence" if piece in "AB" else "SpecialToken": {"id": piece, "type_id": 0}} for piece in pieces]


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
        "mask_token": MASK,
    }
