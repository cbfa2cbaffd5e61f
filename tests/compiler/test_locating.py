"""Files: where they may lie, what is hashed, and that only their bytes count."""

import os

import pytest

from compiler.ops import Data, FileRows, Folder, Model, Scratch
from compiler.places import BIG, PlaceError, Places, fill
from tests.compiling import INPUT, MODEL_FILES, compiled, nodes, plan_of

TASK = f'model m {{ weights: dir("MODEL") }}\ntask a : multiple-choice {{ data: DATA source: en {INPUT} }}\nm -> a\n'


@pytest.fixture
def here(tmp_path):
    spec = tmp_path / "spec"
    for place in (spec / "m", tmp_path / "away" / "m"):
        place.mkdir(parents=True)
        for name in MODEL_FILES:
            (place / name).write_bytes(name.encode())
        for name in ("train-1", "train-2", "dev-1"):
            (place / f"{name}.jsonl").write_bytes(name.encode())
    return spec


def spec(data='files("m/{{ split }}-*.jsonl")', model="m"):
    return TASK.replace("DATA", data).replace("MODEL", model)


def codes(text, folder, **places):
    return [d.code for d in compiled(text, folder, **places).diagnostics]


def files(plan):
    return [rows.files for n in nodes(plan, Data) for rows in n.op.rows if isinstance(rows, FileRows)]


def test_a_pattern_is_its_files_in_the_order_of_their_names(here):
    plan = plan_of(spec(), here)
    names = [[plan.files[digest].name for digest in rows] for rows in files(plan)]

    assert [["train-1.jsonl", "train-2.jsonl"]] == names


def test_several_sources_are_one_data_set(here):
    plan = plan_of(spec('[files("m/{{ split }}-1.jsonl"), files("m/{{ split }}-2.jsonl")]'), here)

    assert [1, 1] == [len(f) for f in files(plan)]
    assert 1 == len(nodes(plan, Data))


def test_a_root_is_a_name_for_a_folder(here):
    roots = {"away": here.parent / "away"}
    text = spec('files("@away/m/{{ split }}-*.jsonl")', "@away/m")

    assert ["X0312"] == codes(text, here)
    assert [n.key for n in plan_of(spec(), here).nodes] == [n.key for n in plan_of(text, here, roots=roots).nodes]


def test_another_folder_must_be_allowed(here):
    text = spec(f'files("{here.parent}/away/m/{{{{ split }}}}-*.jsonl")', "../away/m")

    assert ["X0313"] == codes(text, here)
    assert [] == codes(text, here, allowed=(here.parent / "away",))


@pytest.mark.parametrize("link", ["m/config.json", "m/train-1.jsonl"])
def test_a_link_that_leaves_the_folder_is_not_followed(here, link):
    (here / link).unlink()
    (here / link).symlink_to(here.parent / "away" / link)

    assert ["X0313"] == codes(spec(), here)
    assert [] == codes(spec(), here, allowed=(here.parent / "away",))


def test_a_link_within_the_folder_is_followed(here):
    (here / "m" / "train-1.jsonl").rename(here / "blob")
    (here / "m" / "train-1.jsonl").symlink_to(here / "blob")

    assert [] == codes(spec(), here)


def test_a_folder_that_is_a_link_to_elsewhere_is_not_followed(here):
    (here / "link").symlink_to(here.parent / "away" / "m")

    assert ["X0313"] == codes(spec(model="link"), here)


def test_an_embedded_model_is_a_name_and_no_path(here):
    for name in ("../../spec", "/etc", "..", "."):
        assert ["X0312"] == codes(spec().replace('dir("m")', f'embedded("{name}")'), here), name


@pytest.mark.parametrize("name", ["a\\u0000b", "x" * 300, "\\n", "", "~/x", "@", "m/{{ split }}-[.jsonl"])
def test_strange_names_are_a_finding_and_no_crash(here, name):
    assert ["X0306"] == codes(spec(f'files("{name}", format: jsonl)'), here) or ["X0312"] == codes(
        spec(f'files("{name}", format: jsonl)'), here
    )
    assert set(codes(spec(model=name), here)) <= {"X0312", "X0313"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_a_finding(here):
    (here / "m" / "train-1.jsonl").chmod(0)

    assert ["X0312"] == codes(spec(), here)


def test_a_file_that_cannot_be_read_is_a_place_error(here):
    with pytest.raises(PlaceError, match="cannot be read"):
        Places(here).digest(here / "gone")


def test_other_folders_in_a_name_of_a_language_do_not_leave_the_folder(here):
    text = spec('files("m/{{ language }}.jsonl")').replace("source: en", 'source: en languages: ["../../away/m/dev-1"]')

    assert "X0313" in codes(text.replace("m -> a", "m -> a[*]").replace("[*]", ""), here) or "X0308" in codes(
        text, here
    )


def test_a_model_is_the_files_that_loading_reads(here):
    before = plan_of(spec(), here)
    (here / "m" / "README.md").write_text("changed")
    (here / "m" / "tokenizer_config.json").write_text("{}")
    after = plan_of(spec(), here)

    assert sorted(MODEL_FILES) == sorted(name for name, _ in nodes(before, Model)[0].op.source.files)
    assert "tokenizer_config.json" in dict(nodes(after, Model)[0].op.source.files)
    assert "README.md" not in dict(nodes(after, Model)[0].op.source.files)


def test_sharded_weights_are_read_whole(here):
    (here / "m" / "model.safetensors").unlink()
    for name in ("model-00001-of-2.safetensors", "model-00002-of-2.safetensors", "model.safetensors.index.json"):
        (here / "m" / name).write_text(name)
    (model,) = nodes(plan_of(spec(), here), Model)

    assert isinstance(model.op.source, Folder)
    assert 5 == len(model.op.source.files)


def test_a_model_from_scratch_reads_a_tokenizer_alone(here):
    (here / "m" / "model.safetensors").unlink()
    text = spec().replace('dir("m")', 'scratch(layers: 1, width: 8, heads: 2, tokenizer: dir("m"))')
    (model,) = nodes(plan_of(text, here), Model)

    assert isinstance(model.op.source, Scratch)
    assert (32, 512, 1, ["tokenizer.json"]) == (
        model.op.source.feedforward,
        model.op.source.positions,
        model.op.source.seed,
        [name for name, _ in model.op.source.tokenizer],
    )


def test_a_large_file_is_hashed_by_run_alone(here):
    with (here / "m" / "train-1.jsonl").open("wb") as file:
        file.truncate(BIG + 1)
    plan = plan_of(spec(), here)

    assert [(None, "-")] == [(first, "-" if second else "") for first, second in files(plan)]
    assert [False, False] == [n.pinned for n in plan.nodes if not isinstance(n.op, Model)]
    remembered = plan_of(spec(), here, remembered=lambda path, _: "f" * 64 if path.name == "train-1.jsonl" else None)
    assert all(n.pinned for n in remembered.nodes)


def test_two_large_files_that_nobody_hashed_are_not_the_same_rows(here):
    for name in ("train-1", "dev-1"):
        with (here / "m" / f"{name}.jsonl").open("wb") as file:
            file.truncate(BIG + 1)
    (here / "m" / "train-2.jsonl").unlink()

    assert "X0310" not in codes(spec().replace("m -> a", "m -> a @ a"), here)


def test_a_python_source_is_its_module_beside_the_spec(here):
    (here / "mine").mkdir()
    (here / "mine" / "data.py").write_text("def rows(split, language): ...")
    plan = plan_of(spec('python("mine.data:rows", version: 3)'), here)

    ((rows,),) = [n.op.rows for n in nodes(plan, Data)]
    assert ("rows", 3, "train", "en") == (rows.function, rows.version, rows.split, rows.language)


def test_a_python_module_that_is_a_link_to_elsewhere_is_not_read(here):
    (here / "mine.py").symlink_to(here.parent / "away" / "m" / "config.json")

    assert ["X0313"] == codes(spec('python("mine:rows")'), here)


def test_patterns_know_three_names():
    values = {"split": "dev", "language": "de", "code": "deu"}

    assert "dev/de/deu.jsonl" == fill("{{ split }}/{{language}}/{{ code }}.jsonl", values)
    with pytest.raises(PlaceError, match="lang"):
        fill("{{ lang }}", values)
