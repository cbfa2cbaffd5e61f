"""A lock file for the sketch of Phang et al. 2020: made-up contents, true sizes.

Rows are those of the published sets (SQuAD, XTREME and the papers of the tasks); tokens of a row are rough means.
"""

from hashlib import sha256

from compiler.pins import PinnedData, PinnedFile, PinnedModel, PinnedSplit, Pins

BYTES_A_TOKEN = 2.5  # of parquet, as estimates take it (runtime.amounts)
# Repository: rows of each split, tokens of a row. Scored languages are configurations.
SIZES = {
    "mnli": ({"train": 392_702, "validation": 9_815}, 40),
    "anli": ({"train": 162_865, "validation": 3_200}, 100),
    "anli-plus": ({"train": 1_104_934, "validation": 9_815}, 45),
    "qqp": ({"train": 363_846, "validation": 40_430}, 30),
    "squad": ({"train": 87_599, "validation": 10_570}, 180),
    "squad2": ({"train": 130_319, "validation": 11_873}, 180),
    "hellaswag": ({"train": 39_905, "validation": 10_042}, 220),
    "ccg": ({"train": 38_015, "validation": 5_484}, 35),
    "cosmos-qa": ({"train": 25_262, "validation": 2_985}, 170),
    "commonsense-qa": ({"train": 9_741, "validation": 1_221}, 40),
    "tydiqa": ({"train": 3_696, "validation": 634, "test": 634}, 180),
}
BY_LANGUAGE = {
    "xnli": ("ar bg de el en es fr hi ru sw th tr ur vi zh", {"validation": 2_490, "test": 5_010}, 45),
    "pawsx": ("de en es fr ja ko zh", {"train": 49_401, "validation": 2_000, "test": 2_000}, 60),
    "xquad": ("en de es ro tr vi zh", {"test": 1_190}, 200),
    "mlqa": ("ar de en es hi vi zh", {"validation": 504, "test": 4_517}, 200),
    "udpos": ("de en es id tr", {"train": 21_253, "validation": 3_974, "test": 5_000}, 30),
    "panx": ("de en sw ta", {"train": 20_000, "validation": 10_000, "test": 10_000}, 15),
    "bucc": ("de fr ru zh", {"validation": 4_000, "test": 10_000}, 35),
    "tatoeba": ("af ar en fr sw", {"test": 1_000}, 20),
    "wiki": ("af ar bg bn de el en es et eu fa fi fr he hi sw zh", {"train": 500_000, "validation": 5_000}, 60),
}


def pins():
    """What the lock file pins."""
    files = {"config.json": 616, "model.safetensors": 2_239_618_672, "tokenizer.json": 9_096_718}
    model = PinnedModel(
        "c" * 40, tuple(_file(name, size) for name, size in files.items()), 512, 24, 559_890_432, 1024, 4096, 250_002
    )
    data = {f"stand-in/{name}": _data(name, [""], rows, tokens) for name, (rows, tokens) in SIZES.items()}
    data |= {f"stand-in/{n}": _data(n, codes.split(), rows, tokens) for n, (codes, rows, tokens) in BY_LANGUAGE.items()}
    return Pins({"FacebookAI/xlm-roberta-large": model}, data)


def _data(name, configs, rows, tokens):
    splits = {
        config: {
            split: PinnedSplit("parquet", (_file(f"{name}/{config}/{split}", int(n * tokens * BYTES_A_TOKEN)),), n)
            for split, n in rows.items()
        }
        for config in configs
    }
    return PinnedData(sha256(name.encode()).hexdigest()[:40], splits)


def _file(name, size):
    return PinnedFile(name, sha256(name.encode()).hexdigest(), size)
