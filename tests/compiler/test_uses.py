"""`use`: what another file brings in, where its names and paths mean what they say, and what cannot be used."""

import pytest

from compiler.ops import Data, FileRows, Train
from dsl.diagnostics import Severity
from tests.compiling import compiled, nodes, plan_of, write_files

INPUT = 'input: { choices: ["{{ one }}", "{{ two }}"], label: "{{ label }}" }'
TASKS = f"""
model m {{ weights: dir("../m") }}
task a : multiple-choice {{ data: files("../a/{{{{ language }}}}/{{{{ split }}}}.jsonl") source: en {INPUT} }}
task near : a {{ data: files("own/{{{{ split }}}}.jsonl") }}
benchmark x : a {{ data: files("../x/{{{{ language }}}}/{{{{ split }}}}.jsonl") languages: [de, sw] }}
let i = {{skip | near}}
group few = [sw]
suite s {{ -> a @ x[few] }}
"""


@pytest.fixture
def here(tmp_path):
    """A folder with the files of the small specs, and a function that writes more."""
    folder = tmp_path / "spec"
    write_files(folder)

    def write(**files):
        for name, text in files.items():
            path = folder / f"{name.replace('__', '/')}.xfer"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return folder

    write(lib__tasks=TASKS)
    (folder / "lib" / "own").mkdir()
    (folder / "lib" / "own" / "train.jsonl").write_text("own")
    return write


def faults(text, folder, **places):
    """(code, file, marked text) of each error."""
    return [
        (d.code, d.primary.span.source.name.split("/")[-1], d.primary.span.text)
        for d in compiled(text, folder, **places).diagnostics
        if d.severity is Severity.ERROR
    ]


def test_a_used_file_brings_in_all_that_it_declares(here):
    plan = plan_of('use "lib/tasks.xfer"\nm -> i -> near @ x[few]\nm -> near -> s', here())

    assert {"m -> near", "m -> near -> near", "m -> near -> a"} == {n.label[:-9] for n in nodes(plan, Train)}
    assert ["sw"] * 3 == [c.language for c in plan.cells]


def test_a_declaration_may_inherit_from_the_used_one_of_its_own_name(here):
    text = 'use "lib/tasks.xfer"\ntask near : near { settings: { epochs: 7 } }\nm -> i -> near @ x[few]'
    plan = plan_of(text, here())

    assert {7, 3} == {n.op.length[1] for n in nodes(plan, Train)}, "`i` means the used file's own `near`"
    files = {n.label: n.op.rows[0].files for n in nodes(plan, Data) if "near train" in n.label}
    assert 1 == len(set(files.values())), "the data are inherited"


def test_a_declaration_of_its_own_name_cannot_inherit_from_two_used_ones(here):
    folder = here(lib__more="task near : w-causes { }\n")
    text = 'use "lib/tasks.xfer", "lib/more.xfer"\ntask near : near { }\nm -> near'

    assert [("X0202", "spec.xfer", "near")] == faults(text, folder)
    assert [] == faults(text.replace(": near", ": w-causes").replace("m ->", "babel-mini ->"), folder)


def test_the_same_work_declared_elsewhere_is_the_same_work(here):
    folder = here()
    used = plan_of('use "lib/tasks.xfer"\nm -> i -> a @ x[few]', folder)
    own = plan_of(TASKS.replace("../", "").replace("own/", "lib/own/") + "m -> i -> a @ x[few]", folder)

    assert [n.key for n in own.nodes] == [n.key for n in used.nodes]


def test_paths_of_a_used_file_are_relative_to_it(here):
    plan = plan_of('use "lib/tasks.xfer"\nm -> near', here())
    (digest,) = (rows.files[0] for n in nodes(plan, Data) for rows in n.op.rows if isinstance(rows, FileRows))

    assert "own" == plan.files[digest].read_text()


def test_a_used_file_in_a_root_is_found(here, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "more.xfer").write_text('task far : copa { data: files("{{ split }}.jsonl") }')
    (tmp_path / "root" / "train.jsonl").write_text("far")
    text = 'use "@root/more.xfer"\nxlmr-base -> far'

    assert 1 == len(nodes(plan_of(text, here(), roots={"root": tmp_path / "root"}), Train))
    assert [("X0312", "spec.xfer", '"@root/more.xfer"')] == faults(text, here())


def test_names_resolve_where_they_are_written(here):
    folder = here(one="task base : copa { settings: { epochs: 5 } }\ntask heir : base { }")
    text = 'use "one.xfer"\ntask base : copa { settings: { epochs: 9 } }\nxlmr-base -> heir -> base'

    assert [5, 9] == [n.op.length[1] for n in nodes(plan_of(text, folder), Train)]
    assert [("X0203", "`base` hides a name of `one.xfer`")] == [
        (d.code, d.message) for d in compiled(text, folder).diagnostics
    ]


def test_lets_groups_and_suites_see_the_names_of_their_own_file(here):
    folder = here(
        one="""task copa : siqa { settings: { epochs: 5 } }
            group g = [h]
            group h = [sw]
            let i = copa
            suite s { -> copa @ xcopa[g] }"""
    )
    text = (
        'use "one.xfer"\ntask copa : hellaswag { }\ngroup h = [ta]\nxlmr-base -> i -> s\nxlmr-base -> copa @ xcopa[h]'
    )
    plan = plan_of(text, folder)

    assert [5, 5, 3] == [n.op.length[1] for n in nodes(plan, Train)]
    assert ["sw", "ta"] == [c.language for c in plan.cells]


def test_defaults_of_a_name_mean_the_task_that_the_spec_means(here):
    folder = here(one="task copa : siqa { }\nlet theirs = copa")
    text = 'use "one.xfer"\ntask copa : hellaswag { }\ndefaults copa { epochs: 8 }\nxlmr-base -> theirs -> copa'

    assert [3, 8] == [n.op.length[1] for n in nodes(plan_of(text, folder), Train)]


def test_what_a_used_file_uses_stays_there(here):
    folder = here(one='use "two.xfer"\ntask heir : base { }', two="task base : copa { settings: { epochs: 5 } }")

    assert [5] == [n.op.length[1] for n in nodes(plan_of('use "one.xfer"\nxlmr-base -> heir', folder), Train)]
    assert [("X0201", "spec.xfer", "base")] == faults('use "one.xfer"\nxlmr-base -> base', folder)


def test_a_file_that_two_files_use_is_one(here):
    two = "task base : copa { }"
    folder = here(one='use "two.xfer"\ntask left : base { }', three='use "two.xfer"\ntask right : base { }', two=two)
    text = 'use "one.xfer", "three.xfer"\nuse "two.xfer", "./two.xfer"\nxlmr-base -> {left | right | base}'

    assert 1 == len(nodes(plan_of(text, folder), Train))


def test_chains_and_defaults_of_a_used_file_are_its_own(here):
    folder = here(
        one='defaults { epochs: 9 }\nnobody -> knows @ this\nbudget { time: 3h }\nreport "R" { }\ntask mine : siqa { }'
    )
    plan = plan_of('use "one.xfer"\nxlmr-base -> mine', folder)

    assert ([3], 0) == ([n.op.length[1] for n in nodes(plan, Train)], len(plan.cells))
    assert () == compiled('use "one.xfer"\nxlmr-base -> mine', folder).diagnostics


def test_a_loop_of_files_is_shown(here):
    folder = here(one='use "two.xfer"', two='use "three.xfer"', three='use "two.xfer"', spec='use "one.xfer"')
    (found,) = compiled('use "one.xfer"\nxlmr-base -> copa', folder).diagnostics
    (back,) = compiled('use "four.xfer"\nxlmr-base -> copa', here(four='use "spec.xfer"')).diagnostics

    assert ("X0205", '"two.xfer"') == (found.code, found.primary.span.text)
    assert "two.xfer -> three.xfer -> two.xfer" in found.message
    assert "spec.xfer -> four.xfer -> spec.xfer" in back.message


def test_one_name_in_two_used_files_shows_both(here):
    folder = here(one="task mine : copa { }", two="task mine : siqa { }")
    (found,) = compiled('use "one.xfer", "two.xfer"\nxlmr-base -> copa', folder).diagnostics

    assert ("X0202", '"two.xfer"') == (found.code, found.primary.span.text)
    assert ["one.xfer", "two.xfer"] == [label.span.source.name.split("/")[-1] for label in found.related]


def test_faults_of_a_used_file_are_marked_in_it(here):
    folder = here(
        syntax="task { }",
        one="""task mine : coppa { }
            task seed : copa { }
            task kept : copa { settings: { epochs: 0 } }
            group g = [g]
            task lost : copa { data: files("gone/{{ split }}.jsonl") }""",
    )

    assert [("X0101", "syntax.xfer", "{")] == faults('use "syntax.xfer"\nnobody -> copa', folder)
    assert [
        ("X0201", "one.xfer", "coppa"),
        ("X0204", "one.xfer", "seed"),
        ("X0302", "one.xfer", "0"),
        ("X0205", "one.xfer", "g"),
    ] == faults('use "one.xfer"\nxlmr-base -> mine -> kept', folder)
    (found,) = compiled(
        'use "one.xfer"\nxlmr-base -> lost', here(one='task lost : copa { data: files("gone.jsonl") }')
    ).diagnostics
    assert "X0306" == found.code


def test_a_file_that_is_no_text_or_may_not_be_read(here, tmp_path):
    folder = here()
    (folder / "latin.xfer").write_bytes(b"task \xff")
    (tmp_path / "out.xfer").write_text("task far : copa { }")
    (folder / "link.xfer").symlink_to(tmp_path / "out.xfer")

    assert [("X0501", "spec.xfer", '"latin.xfer"')] == faults('use "latin.xfer"\nxlmr-base -> copa', folder)
    for path in ('"link.xfer"', '"../out.xfer"'):
        text = f"use {path}\nxlmr-base -> far"
        assert [("X0313", "spec.xfer", path)] == faults(text, folder)
        assert [] == faults(text, folder, allowed=(tmp_path / "out.xfer",))


def test_deep_lines_of_files_are_no_trouble(here):
    folder = here(**{f"f{n}": f'use "f{n + 1}.xfer"\n' for n in range(100)}, f100="")

    assert ["X0319"] == [code for code, _, _ in faults('use "f0.xfer"\nxlmr-base -> copa', folder)]
