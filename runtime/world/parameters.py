"""What can be turned in the world: another seed is another world; the rest are the knobs of transfer."""

from msgspec import Struct


class World(Struct, frozen=True, kw_only=True):
    """One world. Every word and row of it is a pure function of these."""

    seed: int = 1  # of words, rules and items
    cognates: float = (
        1.0  # factor on the share of words that a language has in common with the source, by descent or loan
    )
    mixed: float = 0.8  # share of the texts that hold words of other languages
    low_resource: float = 0.25  # texts of a low-resource language, as a share of the others'
