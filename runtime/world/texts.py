"""`text`: what is told in each language, for masked-language-model pretraining; no text is a translation of another."""

import random
from functools import cache

from runtime.world.languages import LANGUAGES, Language, in_order, lexicon
from runtime.world.reality import AGENTS, THINGS, Combination, outcome, trained_combinations

ROWS = {"train": 10_000, "dev": 200}  # in each language
EPISODES = 2  # in a text, of one thing, so that what befalls it shows its properties
CODE_SWITCHED = 0.02  # share of the texts that borrow words: enough to join the languages, too few to level them
BORROWED = 0.5  # share of the words in such a text

Sentences = tuple[tuple[tuple[str, ...], str], ...]  # of each sentence the concepts and the mark


def rows(split: str, language: Language) -> list[dict[str, object]]:
    """The texts of the split in the language: `text`."""
    first = 0 if split == "train" else ROWS["train"]
    return [{"text": text} for text in _texts(language.code)[first : first + ROWS[split]]]


@cache
def _texts(code: str) -> tuple[str, ...]:
    """As many different texts as all splits need, train first."""
    rng = random.Random(f"world/text/{code}")
    texts: dict[str, None] = {}
    while len(texts) < sum(ROWS.values()):
        texts[_text(rng, LANGUAGES[code])] = None
    return tuple(texts)


def _text(rng: random.Random, language: Language) -> str:
    borrowed = BORROWED if rng.random() < CODE_SWITCHED else 0.0
    episodes = rng.sample(_episodes_of(rng.choice(THINGS)), EPISODES)
    sentences = [sentence for episode in episodes for sentence in _episode(rng, episode)]
    return " ".join(
        in_order([_word(rng, concept, language, borrowed) for concept in concepts], language, mark)
        for concepts, mark in sentences
    )


@cache
def _episodes_of(thing: str) -> tuple[Combination, ...]:
    """What may be told of the thing."""
    return tuple(told for told in trained_combinations() if told.thing == thing)


def _episode(rng: random.Random, told: Combination) -> Sentences:
    """One of four ways to tell an episode: forwards or backwards, in one sentence or with a question."""
    cause = (rng.choice(AGENTS), told.event, told.thing)
    effect = (told.thing, outcome(told))
    forwards: Sentences = ((cause, "."), (("so", "what"), "?"), (effect, "."))
    backwards: Sentences = ((effect, "."), (("because", "what"), "?"), (cause, "."))
    so: Sentences = (((*cause, "so", *effect), "."),)
    because: Sentences = (((*effect, "because", *cause), "."),)
    return rng.choice((so, because, forwards, backwards))


def _word(rng: random.Random, concept: str, language: Language, borrowed: float) -> str:
    """The word of the language for the concept, or with probability `borrowed` that of another language."""
    if rng.random() >= borrowed:
        return lexicon(language.code)[concept]
    return lexicon(rng.choice([code for code in LANGUAGES if code != language.code]))[concept]
