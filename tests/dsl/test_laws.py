"""What holds for every text: parsing ends, in order, and one slip is told of once or little more."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.diagnostics import by_place
from dsl.parse import parse
from dsl.reader import tools
from dsl.source import Source

VALID = sorted((Path(__file__).parents[1] / "cases" / "syntax" / "valid").glob("*.xfer"))
TEXTS = [path.read_text(encoding="utf-8") for path in VALID]
SIGNS = r"""-> @ + - * | : , = { } [ ] ( ) < >= => → – ; ' " “ ” \ # // 3 3x 1e-5 5% a-b"""
WORDS = [*tools()[0].keywords, *SIGNS.split(), '"""', "\n", "\r\n", "\t", "\0", "é", '"a"', "x", "\ufeff"]
SOUP = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join) | st.lists(st.sampled_from(WORDS)).map("".join)


def tokens(text):
    return [lexeme.span for lexeme in tools()[0].scan(Source("valid", text))[0][:-1]]


TOKENS = [tokens(text) for text in TEXTS]


def check(text):
    """Parse; every span lies in the text, and the diagnostics are in order."""
    source = Source("any.xfer", text)
    spec, diagnostics = parse(source)
    spans = [label.span for d in diagnostics for label in (d.primary, *d.related)]

    assert all(span.source is source and 0 <= span.start <= span.end <= len(text) for span in spans)
    assert by_place(diagnostics) == diagnostics
    assert spec is not None or diagnostics
    return diagnostics


@given(st.text())
def test_any_text_parses(text):
    check(text)


@given(SOUP)
@settings(max_examples=300)
def test_any_heap_of_tokens_parses(text):
    check(text)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_token_lost_is_told_of_at_most_once(data):
    which = data.draw(st.integers(0, len(TEXTS) - 1))
    text, span = TEXTS[which], data.draw(st.sampled_from(TOKENS[which]))

    assert len(check(text[: span.start] + text[span.end :])) <= 1


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_token_too_many_is_told_of_in_few_words(data):
    which = data.draw(st.integers(0, len(TEXTS) - 1))
    text, span = TEXTS[which], data.draw(st.sampled_from(TOKENS[which]))
    word = data.draw(st.sampled_from([word for word in WORDS if word not in {'"""', "#", "//", "é", "'", '"'}]))

    assert len(check(f"{text[: span.start]} {word} {text[span.start :]}")) <= 3


def test_parses_do_not_mix():
    sources = [Source(f"{i}.xfer", TEXTS[i % len(TEXTS)] + f"\nlet x{i} = = y") for i in range(24)]
    alone = [parse(source) for source in sources]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(parse, sources))

    assert alone == together
    assert gc.isenabled()


def test_large_files_take_about_as_long_as_they_are():
    """Hostile shapes of the largest size; a test that hangs here has found a quadratic walk."""
    for shape in ("(", ")", "[)", "– ", "\0 ", "a -> ", "a + ", "é ", '" ', '“ "', "= ", "x\n", "'"):
        check(shape * (100_000 // len(shape)))
