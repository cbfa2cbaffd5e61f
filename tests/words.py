"""The shipped tokenizer, and words of the embedded world that it has whole: one token each, in a fixed order."""

import json
import shutil
from pathlib import Path

from runtime import world
from runtime.world.lexicon import vocabulary

SHIPPED = Path(world.__file__).parent / "babel-mini"
_KNOWN = json.loads((SHIPPED / "tokenizer.json").read_text())["model"]["vocab"]
WORDS = tuple(word for word in vocabulary(world.World()) if f"▁{word}" in _KNOWN)


def write_tokenizer(folder):
    """Copy the tokenizer's files into the folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(SHIPPED / name, folder / name)
