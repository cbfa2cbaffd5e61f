"""`xfer show` at the terminal: what is printed compiles, and a name that is none is told with what is near."""

import pytest

from compiler.pipeline import library
from dsl.parse import parse
from dsl.source import Source
from tests.compiler.test_showing import place
from xfer import exits
from xfer.cli import call

SPEC = """\
use "more.xfer"
model mine { weights: embedded("babel-mini") }
task copa : w-causes { settings: { epochs: 2 } }
defaults { batch: 4 }
mychain: mine -> copa -> other @ w-xcauses[*]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XFER_STORE", str(tmp_path / "store"))
    (tmp_path / "spec.xfer").write_text(SPEC)
    (tmp_path / "more.xfer").write_text("task other : w-causes { settings: { epochs: 3 } }\ntask lost : nothing { }\n")
    return tmp_path


@pytest.mark.parametrize("name", sorted(library()))
def test_every_name_of_the_library_is_shown_as_a_spec(capsys, name):
    assert exits.OK == call(["show", name])
    spec, findings = parse(Source("shown.xfer", capsys.readouterr().out))

    assert () == findings
    assert [name] == [s.name.text for s in spec.statements]


def test_lines_stand_with_their_places_below_one_another(capsys):
    assert exits.OK == call(["show", "babel-mini"])
    assert capsys.readouterr().out.splitlines() == [
        "model babel-mini {                 # std/world.xfer:3",
        '  weights: embedded("babel-mini")  # std/world.xfer:3',
        "  settings: {",
        "    max-length: 64                 # std/world.xfer:3",
        "  }",
        "}",
    ]


def test_a_name_means_what_it_means_in_the_spec(here, capsys):
    assert exits.OK == call(["show", "copa", "spec.xfer"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"# hides the task `copa` of {place('copa')}" == lines[0]
    assert "task copa : w-causes { # spec.xfer:3" == lines[1]
    assert "epochs: 2 # spec.xfer:3" in lines
    assert "batch: 16 # of w-causes, std/world.xfer:63; here 4: `defaults`, spec.xfer:4" in lines

    assert exits.OK == call(["show", "copa"])
    assert "task copa : multiple-choice {" in capsys.readouterr().out, "without the spec it is the library's"


def test_what_a_used_file_declares_is_shown(here, capsys):
    assert exits.OK == call(["show", "other", "spec.xfer"])
    assert "more.xfer:1" in capsys.readouterr().out


def test_a_fault_that_no_chain_meets_is_told_where_it_is_shown(here, capsys):
    assert exits.USAGE == call(["show", "lost", "spec.xfer"])
    captured = capsys.readouterr()
    assert "error[X0201]" in captured.err and "more.xfer:2:13" in captured.err
    assert "" == captured.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cpoa"], ["there is no model, task, benchmark, group, let or suite `cpoa`", "did you mean `copa`?", "SPEC`"]),
        (["mine"], ["names are the library's; those of a spec are found with it: `xfer show NAME SPEC`"]),
        (["otter", "spec.xfer"], ["did you mean `other`?", "the library's and those that `spec.xfer` sees"]),
        (["multiple-choice"], ["`multiple-choice` is a kind of task", "`xfer list tasks`"]),
        (["max-length"], ["`max-length` is a setting", "`xfer list settings`"]),
        (["mychain", "spec.xfer"], ["`mychain` labels an experiment", "`xfer plan SPEC`"]),
        ([""], ["there is no model"]),
        (["copa", "spek.xfer"], ["there is no file `spek.xfer`", "did you mean `spec.xfer`?"]),
        ([], ["Missing argument"]),
    ],
)
def test_what_is_not_there_is_wrong_usage_with_a_way_out(here, capsys, arguments, says):
    assert exits.USAGE == call(["show", *arguments])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert all(words in captured.err for words in says), captured.err


@pytest.mark.parametrize("command", [["show", "copa"], ["list", "tasks"]])
def test_a_wrong_spec_gives_what_check_gives(here, capsys, command):
    (here / "spec.xfer").write_text(SPEC.replace("epochs: 2", "epochs: two"))

    assert exits.USAGE == call(["check", "spec.xfer"])
    checked = capsys.readouterr().err
    assert exits.USAGE == call([*command, "spec.xfer"])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert checked == captured.err + "`xfer explain CODE` says more\n"
    assert "error[X0302]" in checked and "spec.xfer:3:44" in checked


def test_showing_writes_nothing(here):
    (here / "more.xfer").write_text("task other : w-causes { }")
    before = sorted(here.rglob("*"))
    for command in (["show", "copa"], ["list", "tasks"], ["list", "settings"]):
        assert exits.OK == call([*command, "spec.xfer"])

    assert before == sorted(here.rglob("*"))
