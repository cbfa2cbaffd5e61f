"""Codes of the compiler's findings, published names that are never reused; each has a page in docs/diagnostics/."""

UNKNOWN_NAME = "X0201"
DECLARED_TWICE = "X0202"
HIDES_LIBRARY = "X0203"
RESERVED_NAME = "X0204"
INHERITANCE_CYCLE = "X0205"
WRONG_SORT = "X0206"
UNUSED = "X0207"
UNKNOWN_LANGUAGE = "X0208"
LABEL_TWICE = "X0209"

UNKNOWN_KEY = "X0301"
WRONG_VALUE = "X0302"
MISSING_KEY = "X0303"
SET_TWICE = "X0304"
KEY_WITHOUT_NODE = "X0305"
NO_SPLIT = "X0306"
NO_HEAD = "X0307"
NO_LANGUAGE = "X0308"
NEEDS_LABEL = "X0309"
CONTAMINATION = "X0310"
TRAINED_LANGUAGE = "X0311"
NO_FILE = "X0312"
OUTSIDE = "X0313"
BAD_TEMPLATE = "X0314"
NO_EXPERIMENT = "X0315"
NO_REFERENCE = "X0316"
UNSAFE_WEIGHTS = "X0317"
HIDES_VALUE = "X0318"
TOO_MANY = "X0319"
CHOSEN_ON_TRAINED = "X0320"
SCORED_ON_CHOSEN = "X0321"
UNAPPLIED = "X0322"
NO_AXIS = "X0325"
NO_VALUE = "X0326"
AXIS_TWICE = "X0327"
LEFT_OPEN = "X0328"
NO_BASELINE = "X0329"
NO_SCORES = "X0330"
NO_GAP = "X0331"
NOT_RETAINED = "X0332"
FEW_SEEDS = "X0333"
NOT_COMPARED = "X0334"
NO_DISTANCE = "X0335"

NOT_YET = "X0401"

NOT_TEXT = "X0501"

TITLES = {
    UNKNOWN_NAME: "unknown name",
    DECLARED_TWICE: "declared twice",
    HIDES_LIBRARY: "hides a name of another file",
    RESERVED_NAME: "reserved word as a name",
    INHERITANCE_CYCLE: "cyclic inheritance",
    WRONG_SORT: "wrong sort of thing at this place",
    UNUSED: "declared and never used",
    UNKNOWN_LANGUAGE: "unknown group of languages",
    LABEL_TWICE: "one label twice",
    UNKNOWN_KEY: "unknown key",
    WRONG_VALUE: "value that does not fit",
    MISSING_KEY: "missing key",
    SET_TWICE: "set twice",
    KEY_WITHOUT_NODE: "a key that no node has",
    NO_SPLIT: "no such split",
    NO_HEAD: "no head that fits",
    NO_LANGUAGE: "language the data do not have",
    NEEDS_LABEL: "alternatives need labels",
    CONTAMINATION: "evaluates data it trained on",
    TRAINED_LANGUAGE: "target language that a stage trains on",
    NO_FILE: "file not found",
    OUTSIDE: "outside the allowed folders",
    BAD_TEMPLATE: "template that cannot be read",
    NO_EXPERIMENT: "no experiment",
    NO_REFERENCE: "one name, two meanings",
    UNSAFE_WEIGHTS: "weights that would be unpickled",
    HIDES_VALUE: "defaults hide a task's own value",
    TOO_MANY: "more than can be planned",
    CHOSEN_ON_TRAINED: "chooses a checkpoint on rows it trained on",
    SCORED_ON_CHOSEN: "scores rows that chose the checkpoint",
    UNAPPLIED: "settings that do not apply in a mixture",
    NO_AXIS: "no such axis",
    NO_VALUE: "no such value of an axis",
    AXIS_TWICE: "one axis in two roles",
    LEFT_OPEN: "averages over what must be pinned",
    NO_BASELINE: "no clear baseline",
    NO_SCORES: "no scores are left",
    NO_GAP: "a gap without two sides",
    NOT_RETAINED: "a share of no clean score",
    FEW_SEEDS: "fewer than three seeds",
    NOT_COMPARED: "sides that do not compare",
    NO_DISTANCE: "languages without distances",
    NOT_YET: "not available yet",
    NOT_TEXT: "not a text",
}
