"""The made-up languages: what is known of each, and its distance from the source that follows from it."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Order = Literal["SVO", "SOV", "VSO"]
Morphology = Literal["isolating", "fusional", "agglutinating"]
Script = Literal["latin", "cyrillic", "greek", "georgian"]

_AFFIXATION: Mapping[Morphology, float] = {"isolating": 0.0, "fusional": 0.5, "agglutinating": 1.0}


class Language(Struct, frozen=True, kw_only=True):
    """A language, by the parameters that its words and sentences are made from."""

    code: str  # of the codes ISO 639-2 reserves for local use
    family: str
    script: Script = "latin"
    order: Order = "SVO"
    adjective_first: bool = True
    morphology: Morphology = "isolating"
    cognates: float = 0.0  # share of the words that descend from the same roots as the source's
    loans: float = 0.0  # share of the words that are the source's own, borrowed
    low_resource: bool = False  # little text

    @property
    def distance(self) -> float:
        """Distance from the source in [0, 1]: the mean of four, each in [0, 1].

        Words that are not shared · order (of the clause and of the adjective, half each) · affixation · script.
        """
        words = 1.0 - self.cognates - self.loans
        order = ((self.order != SOURCE.order) + (self.adjective_first != SOURCE.adjective_first)) / 2
        affixes = abs(_AFFIXATION[self.morphology] - _AFFIXATION[SOURCE.morphology])
        return (words + order + affixes + (self.script != SOURCE.script)) / 4


SOURCE = Language(code="qaa", family="north", cognates=1.0)

_ALL = (
    SOURCE,
    Language(code="qab", family="north", cognates=0.85, loans=0.05),
    Language(code="qac", family="north", adjective_first=False, morphology="fusional", cognates=0.7, loans=0.05),
    Language(code="qad", family="north", morphology="fusional", cognates=0.65, loans=0.1, low_resource=True),
    Language(code="qae", family="north", script="cyrillic", morphology="fusional", cognates=0.6, loans=0.05),
    Language(code="qaf", family="east", adjective_first=False, cognates=0.3, loans=0.2),
    Language(code="qag", family="east", order="SOV", morphology="agglutinating", cognates=0.3, loans=0.2),
    Language(code="qah", family="east", script="greek", morphology="fusional", cognates=0.3, loans=0.1),
    Language(
        code="qai", family="south", script="cyrillic", order="SOV", morphology="agglutinating",
        cognates=0.2, loans=0.1, low_resource=True,
    ),
    Language(
        code="qaj", family="south", script="greek", order="VSO", adjective_first=False, morphology="fusional",
        cognates=0.15, loans=0.1,
    ),
    Language(
        code="qak", family="west", script="georgian", order="VSO", adjective_first=False, morphology="agglutinating",
        cognates=0.1, loans=0.05,
    ),
    Language(
        code="qal", family="west", script="georgian", order="SOV", morphology="fusional", cognates=0.1, loans=0.1
    ),
)  # fmt: skip

LANGUAGES: Mapping[str, Language] = {language.code: language for language in _ALL}
