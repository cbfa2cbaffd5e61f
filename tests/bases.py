"""A weights node to test kinds with: one random layer of width 16, with the world's tokenizer."""

import hashlib

from msgspec.structs import replace

from runtime import models
from tests.plans import model
from tests.words import write_tokenizer


def weights_node(tmp_path_factory, **changes):
    """The folder of the node; `changes` are of its source."""
    folder, made = tmp_path_factory.mktemp("tokenizer"), tmp_path_factory.mktemp("model")
    write_tokenizer(folder)
    files = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in folder.iterdir()}
    op, named = model(), tuple((p.name, d) for d, p in files.items())
    models.make(replace(op, source=replace(op.source, tokenizer=named, **changes)), files, made)
    return made
