"""A folder with the files of the small specs."""

import pytest

from tests.compiling import write_files


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Read only: what a test changes belongs in its own tmp_path."""
    folder = tmp_path_factory.mktemp("specs")
    write_files(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "train.jsonl").write_text("elsewhere")
    (folder / "link.jsonl").symlink_to(elsewhere / "train.jsonl")
    return folder
