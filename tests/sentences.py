"""Sentences of the language, derived from the rules of its grammar, with white space and comments strewn between.

What the grammar gains this gains: a new rule needs nothing here, a new terminal without a fixed text a row in `TEXTS`.
"""

from dataclasses import dataclass
from functools import cache
from random import Random

from hypothesis import strategies as st
from lark.lexer import PatternStr

from dsl.reader import tools

TEXTS = {
    "NAME": ("a", "b-1.2", "copa", "xlmr-large", "a-rather-long-name-of-a-task"),
    "NUMBER": ("3", "1e-5", "10k", "95%", "131072", "0.50"),
    "STRING": (
        '""',
        '"x"',
        r'"# no comment \" é"',
        '"{{ a template of some length }} {{ and another }}"',
        '"""x"""',
        '"""\n      several\n        lines  # no comment\n  """',
        '"""a\r\n  b\r\n"""',
    ),
    "COMPARISON": ("<", ">=", ">"),
}
COMMENTS = ("#", "# a comment", "#! 3 [X0101]  ", '# "odd" {signs ]\t', "# é\u2028\r")
PLAIN = (" ", " ", "\n", "\n\n", "\n\n\n  ", "\t", "\r\n", " \xa0", "\u2028", "  \n  ")
LOOSE = frozenset("{}[](),:|")  # what may touch its neighbours


@dataclass(frozen=True)
class Sentence:
    """A spec that parses, and the comments in it."""

    text: str
    comments: tuple[str, ...]


@cache
def grammar():
    """The expansions of each rule, the cheapest first, and the fixed texts of the terminals."""
    lark = tools()[1].lark
    rules = {}
    for rule in lark.rules:
        rules.setdefault(rule.origin.name, []).append(tuple((s.name, s.is_term) for s in rule.expansion))
    fixed = {t.name: (t.pattern.value,) for t in lark.terminals if isinstance(t.pattern, PatternStr)}
    costs = _costs(rules)
    for expansions in rules.values():
        expansions.sort(key=lambda expansion: _cost(expansion, costs))
    return rules, {**fixed, **TEXTS}


def _costs(rules):
    """The fewest tokens that each rule amounts to."""
    costs = dict.fromkeys(rules, 10_000)
    for _ in range(len(rules)):
        costs = {name: min(_cost(e, costs) for e in expansions) for name, expansions in rules.items()}
    return costs


def _cost(expansion, costs):
    return sum(1 if is_term else costs[name] for name, is_term in expansion)


def sentences(most=120):
    """Specs of about `most` tokens or fewer. Drawn from a seed: a draw a token took a hundred times as long."""
    return st.builds(sentence, st.integers(0, 2**32), st.integers(0, most))


def sentence(seed, most):
    """The spec of about `most` tokens that `seed` leads to."""
    random, pieces, comments = Random(seed), [], []
    words = _words(random, most)
    for index, word in enumerate(("", *words)):
        after = words[index] if index < len(words) else ""
        touching = not word or not after or word in LOOSE or after in LOOSE
        gap, said = _gap(random, touching)
        pieces += [word, gap]
        comments += said
    return Sentence(random.choice(("", "", "\ufeff")) + "".join(pieces), tuple(comments))


def _words(random, most):
    rules, texts = grammar()
    words, todo = [], [("statement", False)] * random.randint(0, 6)
    while todo:
        name, is_term = todo.pop()
        if is_term:
            words.append(random.choice(texts[name]))
        else:
            expansions = rules[name] if len(words) + len(todo) < most else rules[name][:1]
            todo += reversed(random.choice(expansions))
    return words


def _gap(random, touching):
    """White space, and between it perhaps comments."""
    kind = random.random()
    if kind > 0.1:
        return (" " if kind > 0.6 else random.choice((*PLAIN, *([""] * 9 * touching)))), ()
    comments = random.choices(COMMENTS, k=random.randint(1, 3))
    lines = (comment + random.choice(("\n", "\r\n", "\n\n \n")) for comment in comments)
    return random.choice(PLAIN) + "".join(lines), comments
