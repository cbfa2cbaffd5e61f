"""Small encoders of every architecture, as published: a model of masked-lm with random weights, and a tokenizer.

The tokenizers have the models, the special tokens and the templates of the families' own, and few words.
"""

import torch
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers import models as algorithms
from tokenizers.trainers import BpeTrainer

from tests.words import WORDS, write_tokenizer

VOCABULARY = 1600  # vectors of a model; a tokenizer has fewer, as published ones have
TEXT = WORDS[:60]
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def _pieces():
    letters = sorted({letter for word in TEXT for letter in word})
    return [f"▁{word}" for word in TEXT] + letters + ["▁"]


def _with(tokenizer, single, pair, special):
    """With the template, and its special tokens, which stand in the vocabulary."""
    used = [token for token in special if token in single]
    ids = [(token, tokenizer.token_to_id(token)) for token in used]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    return tokenizer


def _unigram(special, unknown):
    """Of sentencepiece: mDeBERTa's and RemBERT's, converted."""
    listed = [(token, 0.0) for token in special] + [(piece, -float(n)) for n, piece in enumerate(_pieces(), 1)]
    tokenizer = Tokenizer(algorithms.Unigram(listed, unk_id=special.index(unknown), byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always")
    tokenizer.decoder = decoders.Metaspace("▁", "always")
    single, pair = "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
    return _with(tokenizer, single, pair, special)


def _mdeberta():
    """Its mask stands behind all pieces, past the vocabulary of sentencepiece."""
    tokenizer = _unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]"], "[UNK]")
    tokenizer.add_special_tokens([AddedToken("[MASK]", special=True)])
    return tokenizer


def _rembert():
    return _unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], "<unk>")


def _mmbert():
    """Gemma's: BPE with bytes for what is unknown; white space is a letter, and no word gets one before it."""
    tokenizer = Tokenizer(algorithms.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))  # noqa: S106
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trainer = BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([" ".join(TEXT[n : n + 2]) for n in range(len(TEXT))], trainer)
    return _with(tokenizer, "<bos>:0 $A:0 <eos>:0", "<bos>:0 $A:0 <eos>:0 $B:1 <eos>:1", special)


def _mbert():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted({letter for word in TEXT for letter in word})
    listed = [*special, *TEXT, *letters, *(f"##{letter}" for letter in letters)]
    pieces = {piece: n for n, piece in enumerate(dict.fromkeys(listed))}
    tokenizer = Tokenizer(algorithms.WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _with(tokenizer, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special)


def _shape(layers):
    return {**SHAPE, "num_hidden_layers": layers}


def _xlm_roberta(layers):
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    config = XLMRobertaConfig(**_shape(layers), type_vocab_size=1, max_position_embeddings=130, pad_token_id=1)
    return XLMRobertaForMaskedLM(config)


def _bert(layers):
    from transformers import BertConfig, BertForMaskedLM

    return BertForMaskedLM(BertConfig(**_shape(layers), max_position_embeddings=128))


def _xlm_roberta_xl(layers):
    from transformers import XLMRobertaXLConfig, XLMRobertaXLForMaskedLM

    config = XLMRobertaXLConfig(**_shape(layers), max_position_embeddings=130, pad_token_id=1)
    return XLMRobertaXLForMaskedLM(config)


def _rembert_model(layers):
    from transformers import RemBertConfig, RemBertForMaskedLM

    widths = {"input_embedding_size": 8, "output_embedding_size": 24}
    tokens = {"bos_token_id": 2, "eos_token_id": 3}
    return RemBertForMaskedLM(RemBertConfig(**_shape(layers), **widths, **tokens, max_position_embeddings=128))


def _mdeberta_model(layers):
    from transformers import DebertaV2Config, DebertaV2ForMaskedLM

    relative = {"relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm"}
    shared = {"share_att_key": True, "pos_att_type": "p2c|c2p", "position_biased_input": False}
    return DebertaV2ForMaskedLM(DebertaV2Config(**_shape(layers), **relative, **shared, max_position_embeddings=128))


def _mmbert_model(layers):
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    tokens = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1, "cls_token_id": 1, "sep_token_id": 1}
    config = ModernBertConfig(**_shape(layers), **tokens, max_position_embeddings=128, local_attention=4)
    return ModernBertForMaskedLM(config)


def _distilbert_model(layers):
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    sizes = {"dim": 16, "n_layers": layers, "n_heads": 2, "hidden_dim": 32}
    return DistilBertForMaskedLM(DistilBertConfig(**sizes, vocab_size=VOCABULARY, max_position_embeddings=128))


FAMILIES = {  # model_type -> how to make a model of masked-lm, and a tokenizer (None: XLM-R's, the shipped one)
    "xlm-roberta-xl": (_xlm_roberta_xl, None),
    "rembert": (_rembert_model, _rembert),
    "deberta-v2": (_mdeberta_model, _mdeberta),
    "modernbert": (_mmbert_model, _mmbert),
    "distilbert": (_distilbert_model, _mbert),
}

EARLIER = {  # those that the rest of the tests have in other ways
    "xlm-roberta": (_xlm_roberta, None),
    "bert": (_bert, _mbert),
    "bert, tokenizer of XLM-R": (_bert, None),
}


def publish(name, folder, layers=SHAPE["num_hidden_layers"]):
    """The files that the family's models are published as; the model that was saved."""
    make, tokenizer = (FAMILIES | EARLIER)[name]
    torch.manual_seed(1)
    model = make(layers).eval()
    model.save_pretrained(folder)
    if tokenizer is None:
        write_tokenizer(folder)
    else:
        tokenizer().save(str(folder / "tokenizer.json"))
    return model
