"""Templates give typed values, say what is missing, and cannot get out or grow without bound."""

import pytest

from compiler.bag import Bag
from compiler.templates import ADDED_FILTERS, FILTERS, check_template
from dsl.source import Source, Span
from runtime.errors import BadInput
from runtime.templates import Templates

ROW = {"premise": "It rained.", "label": 1, "ask-for": "cause", "endings": ["a", "b"], "zero": 0}


def value(template, row=ROW):
    return Templates((("field", template),)).values(row, {"language": "qaa"})["field"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ label }}", 1),
        ("{{- label -}}", 1),
        ("{{ -label }}", -1),
        ("{{ label }} ", "1 "),
        ("{{ label }}{{ zero }}", "10"),
        ("{{ endings }}", ["a", "b"]),
        ("{{ row['ask-for'] }}", "cause"),
        ("{{ 'Why?' if row['ask-for'] == 'cause' else 'So?' }}", "Why?"),
        ("{{ endings | prefixed(premise ~ ' ') }}", ["It rained. a", "It rained. b"]),
        ("{{ label | int - 1 }}", 0),
        ("plain text", "plain text"),
        ("{{ language }}", "qaa"),
        ("{% if label %}yes{% endif %}", "yes"),
        (("{{ endings[0] }}", "{{ endings[1] }}"), ["a", "b"]),
    ],
)
def test_a_single_expression_keeps_its_type_and_the_rest_is_text(template, expected):
    assert expected == value(template)


@pytest.mark.parametrize("template", ["{{ premis }}", "x {{ premis }}", "{{ row['premis'] }}", "{{ endings[7] }}"])
def test_what_the_row_lacks_is_an_error_with_the_columns(template):
    with pytest.raises(BadInput) as caught:
        value(template)

    assert "`premise`" in caught.value.hint
    assert "input.field" == caught.value.field


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ row.__class__ }}",
        "{{ (1).__class__.__base__.__subclasses__() }}",
        "{{ endings.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_a_template_cannot_leave_the_sandbox(template):
    with pytest.raises(BadInput):
        value(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 1000000000 * 'x' }}",
        "{{ 9 ** 999999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x'.center(1000000000) }}",
        "{{ ('x' * 9999).replace('x', 'y' * 99999) }}",
        "{{ ('x' * 9999) | replace('x', 'y' * 99999) }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'x' * 999 }}{% endfor %}",
        "{{ range(1000000000) | list }}",
        "{{ [1]|slice(300000000)|list|length }}",
        "{{ [1]|batch(300000000, 0)|first|length }}",
        "{{ '{:>2000000000}'.format(1) }}",
        "{{ '%*d' % (2000000000, 1) }}",
        "{{ '%02000000000d'|format(1) }}",
        "{{ '\\t'.expandtabs(tabsize=2000000000) }}",
        "{{ ('\\t' * 2000).expandtabs(999999) }}",
        "{{ (1).to_bytes(2000000000, 'big') }}",
        "{{ ('x' * 20000).join(['a'] * 100000) }}",
        "{{ (['a'] * 100000) | join('x' * 20000) }}",
        "{{ ('x' * 99999).translate({120: 'y' * 99999}) }}",
        "{{ [[1]] | tojson(indent=2000000000) }}",
        "{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s|length }}",
        "{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s|length }}",
        "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=9) %}{% for i in range(60) %}{% set n.s = n.s * n.s %}{% endfor %}{{ n.s > 1 }}",
        "{% macro m(x) %}{% for i in range(9999) %}{{ x }}{% endfor %}{% endmacro %}{{ m('x' * 99999)|length }}",
        "{% set x %}{% for i in range(9999) %}{{ 'x' * 99999 }}{% endfor %}{% endset %}{{ x|length }}",
        "{% for i in range(99999) %}{% set x = 'x' * 999999 %}{% endfor %}",
        "{{ 1 | round(2000000000, 'ceil') }}",
        "{{ ([range(99999)|list] * 9) | sum(start=[]) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
        "{{ 1" + " + 1" * 20000 + " }}",
    ],
)
def test_a_template_cannot_grow_without_bound(template):
    with pytest.raises(BadInput):
        value(template)


def test_nothing_is_computed_when_a_template_is_compiled(monkeypatch):
    made = []
    monkeypatch.setattr("runtime.templates._measured", lambda value: made.append(value) or 1)

    templates = Templates(
        (("one", "{{ 'ab' | upper }}"), ("two", "x {{ 'ab' | upper }}{% if 'ab' | upper %}{% endif %}"))
    )

    assert [] == made
    assert {"one": "AB", "two": "x AB"} == templates.values({}, {})


@pytest.mark.parametrize(
    "template",
    [
        "{{ endings | random }}",
        "{{ lipsum() }}",
        "{{ cycler(1) }}",
        "{{ joiner() }}",
        "{{ (row.keys() - ['a'])|list }}",
    ],
)
def test_what_differs_from_run_to_run_is_refused(template):
    with pytest.raises(BadInput):
        value(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{ range }}",
        "x {{ range }}",
        "{{ range ~ '' }}",
        "{{ range | string }}",
        "{{ [range] }}",
        "{{ endings | map('upper') }}",
        "x {{ endings | map('upper') }}",
        "{{ [range] | join }}",
        "{{ premise.upper }}",
        "{{ namespace() }}",
    ],
)
def test_a_value_that_would_print_where_it_lies_in_memory_is_refused(template):
    with pytest.raises(BadInput) as caught:
        value(template)

    assert "input.field" == caught.value.field


@pytest.mark.parametrize(
    "template",
    ["{{ gone }} y", "{{ gone ~ ' y' }}", "{{ gone | upper }}", "{{ endings | prefixed(gone) }}", "{{ [gone]|join }}"],
)
def test_a_null_is_never_the_text_none(template):
    with pytest.raises(BadInput, match="the template of `field` makes a text of a null") as caught:
        value(template, ROW | {"gone": None})

    assert "or ''" in caught.value.hint


def test_a_null_alone_stays_a_null():
    assert value("{{ gone }}", {"gone": None}) is None
    assert "- y" == value("{{ gone or '-' }} y", {"gone": None})


@pytest.mark.parametrize("name", ["self", "context", "environment", "args", "range"])
def test_a_column_may_have_any_name(name):
    row = {name: "text"}

    assert "text" == value(f"{{{{ row['{name}'] }}}}", row)
    assert "text!" == value(f"{{{{ row['{name}'] }}}}!", row)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ endings.index('b') }}", 1),
        ("{{ premise.upper().split(' ') | join('-') }}", "IT-RAINED."),
        ("{{ ', '.join(endings | map('upper')) }}", "A, B"),
        ("{{ premise.replace('It', 'It never') }}", "It never rained."),
        ("{{ row.get('label', 0) * 2 + 1 }}", 3),
        ("{% for e in endings %}{{ loop.index }}{{ e }}{% if not loop.last %}, {% endif %}{% endfor %}", "1a, 2b"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(endings) }}", "<1><['a', 'b']>"),
        ("{{ row.items() | list | length }}", 5),
        ("{{ premis | default('none') }}", "none"),
        ("{{ [{'t': 'x'}, {'t': 'y'}] | join(', ', attribute='t') }}", "x, y"),
        ("{{ 1.256 | round(2) }} {{ 7 % 4 }} {{ 2 ** 10 }} {{ 'a' * 3 }}", "1.26 3 1024 aaa"),
        ("{% set n = namespace(s='') %}{% for e in endings %}{% set n.s = n.s ~ e %}{% endfor %}{{ n.s }}", "ab"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}", "1234"),
        ("{{ dict(a=1)['a'] }}", 1),
        ("{{ endings | prefixed(1) }}", ["1a", "1b"]),
        ("{{ [1, 7, 8] | recoded({7: 0, 8: 0}) }}", [1, 0, 0]),
        ("{{ 'no' | recoded({'no': 'false'}) }}", "false"),
    ],
)
def test_what_templates_are_for_still_works(template, expected):
    assert expected == value(template)


def test_the_limit_of_what_is_made_is_that_of_one_row():
    template = "{% for i in range(60) %}{% set x = 'x' * 400000 %}{% endfor %}{{ label }}"
    templates = Templates((("field", template),))

    assert ["1", "1", "1"] == [templates.values(ROW, {})["field"] for _ in range(3)]


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(BadInput, match="surrogates"):
        value("{{ '\\ud800' }}")


def found(text):
    bag = Bag()
    check_template(text, Span(Source("a.xfer", "text"), 0, 1), bag)
    return [d.code for d in bag.all()]


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
        "{{ 1" + " + 1" * 20000 + " }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ xs | random }}",
        "{% autoescape true %}{% endautoescape %}",
    ],
)
def test_the_compiler_reports_what_the_runtime_refuses(template):
    assert ["X0314"] == found(template)
    with pytest.raises(BadInput):
        value(template)


def test_every_filter_of_the_runtime_is_known_to_the_compiler():
    assert [] == found("".join(f"{{{{ x | {name} }}}}" for name in (*FILTERS, *ADDED_FILTERS)))
