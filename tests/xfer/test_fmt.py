"""`xfer fmt`: files rewritten whole, in place, only where they change; and one bad file keeps no other from it."""

import io
import subprocess
import sys

import pytest

from xfer import exits
from xfer.cli import call

UNKEMPT = 'a->b @c  # x\nmodel m{weights:dir("é")}\n'
KEMPT = 'a -> b @ c  # x\nmodel m { weights: dir("é") }\n'
WRONG = "a -> b @ {\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with an unkempt, a kempt and a wrong spec."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("unkempt", UNKEMPT), ("kempt", KEMPT), ("wrong", WRONG)):
        (tmp_path / f"{name}.xfer").write_text(text, encoding="utf-8")
    return tmp_path


def fmt(capsys, *arguments):
    """The exit code, what stands on standard output and what on the other."""
    code = call(["fmt", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "bug" not in said.err
    return code, said.out, said.err


def given(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))


def unchanged(folder):
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    return {"unkempt.xfer": UNKEMPT, "kempt.xfer": KEMPT, "wrong.xfer": WRONG} == texts


def test_a_file_is_rewritten_where_it_changes_and_left_alone_where_not(here, capsys):
    before = (here / "kempt.xfer").stat()
    (here / "unkempt.xfer").chmod(0o750)

    assert (exits.OK, "unkempt.xfer changed\n", "") == fmt(capsys, "unkempt.xfer", "kempt.xfer")
    assert KEMPT == (here / "unkempt.xfer").read_text(encoding="utf-8")
    assert (before.st_ino, before.st_mtime_ns) == ((s := (here / "kempt.xfer").stat()).st_ino, s.st_mtime_ns)
    assert 0o750 == (here / "unkempt.xfer").stat().st_mode & 0o777
    assert {"unkempt.xfer", "kempt.xfer", "wrong.xfer"} == {path.name for path in here.iterdir()}
    assert (exits.OK, "", "") == fmt(capsys, "unkempt.xfer")


def test_check_names_what_would_change_and_changes_nothing(here, capsys):
    assert (exits.ERROR, "unkempt.xfer would change\n", "") == fmt(capsys, "--check", "unkempt.xfer", "kempt.xfer")
    assert (exits.OK, "", "") == fmt(capsys, "--check", "kempt.xfer")
    assert unchanged(here)


def test_diff_shows_what_would_change_and_changes_nothing(here, capsys):
    code, out, _ = fmt(capsys, "--diff", "unkempt.xfer", "kempt.xfer")

    assert exits.OK == code
    assert "--- unkempt.xfer\n+++ unkempt.xfer (formatted)\n@@ -1,2 +1,2 @@\n-a->b @c  # x\n" in out
    assert "kempt.xfer (formatted)" not in out.replace("unkempt", "")
    assert exits.ERROR == fmt(capsys, "--check", "--diff", "unkempt.xfer")[0]
    assert unchanged(here)


def test_a_diff_says_where_the_last_line_has_no_end(here, capsys):
    (here / "a.xfer").write_bytes(b"a -> b\r\n@ c")

    assert fmt(capsys, "--diff", "a.xfer")[1].endswith(
        "-a -> b\r\n-@ c\n\\ No newline at end of file\n+a -> b\n+  @ c\n"
    )


def test_standard_input_goes_to_standard_output(here, capsys, monkeypatch):
    given(monkeypatch, UNKEMPT.encode())
    assert (exits.OK, KEMPT, "") == fmt(capsys, "-")
    given(monkeypatch, UNKEMPT.encode())
    assert (exits.ERROR, "<stdin> would change\n", "") == fmt(capsys, "--check", "-")
    given(monkeypatch, b"")
    assert (exits.OK, "", "") == fmt(capsys, "-")
    assert unchanged(here)


def test_what_is_wrong_with_standard_input_is_told_and_nothing_put_out(here, capsys, monkeypatch):
    for data, words in ((WRONG.encode(), "<stdin>:1:10"), (b"\xff", "not UTF-8")):
        given(monkeypatch, data)
        code, out, err = fmt(capsys, "-")

        assert (exits.USAGE, "") == (code, out)
        assert words in err


def test_standard_input_that_is_closed_is_told_of(here, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    assert exits.USAGE == fmt(capsys, "-")[0]


def test_a_wrong_file_is_left_as_it_is_and_the_next_one_is_formatted(here, capsys):
    code, out, err = fmt(capsys, "wrong.xfer", "unkempt.xfer")

    assert (exits.USAGE, "unkempt.xfer changed\n") == (code, out)
    assert "[X0103]" in err
    assert "wrong.xfer:1:10" in err
    assert WRONG == (here / "wrong.xfer").read_text()
    assert KEMPT == (here / "unkempt.xfer").read_text(encoding="utf-8")


def test_what_is_no_spec_is_told_of_and_the_next_one_is_formatted(here, capsys):
    (here / "bytes.xfer").write_bytes(b"a -> b\xff")
    (here / "loop.xfer").symlink_to("loop.xfer")
    code, out, err = fmt(capsys, "none.xfer", ".", "bytes.xfer", "loop.xfer", "unkempt.xfer")

    assert (exits.USAGE, "unkempt.xfer changed\n") == (code, out)
    for words in ("no file `none.xfer`", "`.` is a folder", "byte 0xff at offset 6", "`loop.xfer` cannot be read"):
        assert words in err
    assert b"a -> b\xff" == (here / "bytes.xfer").read_bytes()


def test_a_read_only_file_stays_as_it_is(here, capsys):
    (here / "unkempt.xfer").chmod(0o444)
    code, out, err = fmt(capsys, "unkempt.xfer")

    assert (exits.USAGE, "") == (code, out)
    assert "`unkempt.xfer` is read-only" in err
    assert unchanged(here)


def test_a_write_that_fails_is_told_of_and_leaves_the_file_whole(here, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    code, _, err = fmt(capsys, "unkempt.xfer")

    assert exits.USAGE == code
    assert "`unkempt.xfer` cannot be written: no space left on device" in err
    assert unchanged(here)


def test_a_link_stays_a_link(here, capsys):
    (here / "link.xfer").symlink_to("unkempt.xfer")

    assert (exits.OK, "link.xfer changed\n", "") == fmt(capsys, "link.xfer")
    assert (here / "link.xfer").is_symlink()
    assert KEMPT == (here / "unkempt.xfer").read_text(encoding="utf-8")


def test_fmt_needs_a_spec(capsys):
    assert exits.USAGE == fmt(capsys)[0]


def test_fmt_loads_no_ml_library(here):
    program = "import sys; from xfer.cli import call; call(['fmt', 'unkempt.xfer']); print(sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert not [name for name in ("torch", "transformers", "datasets", "pyarrow") if f"'{name}'" in found]
