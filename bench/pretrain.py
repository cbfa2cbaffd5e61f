"""Make the embedded model again: learn its tokenizer, run `specs/world/pretrain.xfer`, copy both into the package.

    python -m bench.pretrain [--store DIR]

Prints the digests of weights and tokenizer, which docs/world.md records.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

import xfer
from runtime import world
from runtime.models import ENCODER
from runtime.world.tokenizer import train_tokenizer
from xfer.opening import EMBEDDED

SPEC = Path(__file__).resolve().parent.parent / "specs" / "world" / "pretrain.xfer"


def main() -> int:
    """Train, copy, print the digest; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=None)
    folder = EMBEDDED / "babel-mini"
    train_tokenizer(folder, world.World())
    study = xfer.compile(SPEC, xfer.Options(store=parser.parse_args().store))
    report = xfer.run(study)
    if report.failed:
        print(report.failed[0], file=sys.stderr)
        return 1
    trained = study.plan.nodes[-1]
    encoder = study.store().read(trained.key) / ENCODER
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(encoder / name, folder / name)
    print(f"key     {trained.key}")
    for name in ("model.safetensors", "tokenizer.json"):
        print(f"sha256  {hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
