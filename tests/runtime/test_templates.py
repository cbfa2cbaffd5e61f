"""Templates give typed values, say what is missing, and cannot get out or grow without bound."""

import time

import pytest

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
    ],
)
def test_a_template_cannot_grow_without_bound(template):
    started = time.monotonic()
    with pytest.raises(BadInput):
        value(template)

    assert time.monotonic() - started < 20, "stopped, however slow the machine"
