"""What the language offers, as tables: kinds of task, settings, formats, words with a meaning of their own."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

# Words that name no declaration, let, label or group (docs/language.md, section 2).
BUILT_IN_AXES = (
    "model", "benchmark", "language", "first", "second", "seed", "under", "chain", "after", "metric",
)  # fmt: skip
RESERVED = frozenset({"source", "target", "previous", "none", *BUILT_IN_AXES})

SPLITS = ("train", "dev", "test")
SOURCE = "en"  # the language of training unless said


class Metric(Struct, frozen=True):
    """A metric of a kind."""

    protocol: str  # whose rules it follows, in words: it stands below each table of its scores
    version: int = 1  # raised with its code; part of the key of `Score` alone
    has_threshold: bool = False  # counts what is at or above a threshold alone


class Kind(Struct, frozen=True):
    """A kind of task as the compiler sees it; what it does is the file of its name in `runtime.kinds`."""

    name: str
    fields: tuple[str, ...]  # all that `input:` may have
    required: tuple[str, ...]
    metrics: Mapping[str, Metric]  # the first is the default
    settings: tuple[str, ...] = ()  # keys of its own
    baselines: tuple[str, ...] = ()  # methods without a network that can answer it
    labelled: bool = True  # trains on labels, so that its languages are no longer zero-shot
    needs_labels: bool = False  # `labels: […]` must be declared
    trains: bool = True  # it has a head that a stage trains; without one, a target needs no stage
    cluster: str = ""  # the field of which rows are one draw where it is the same, unless `cluster:` says otherwise

    @property
    def metric(self) -> str:
        """The one that counts where none is named."""
        return next(iter(self.metrics))

    def has(self, key: str) -> bool:
        """Whether a stage or a target of this kind has the settings key."""
        where = SETTINGS[key].where
        if where == "kind" or key in OF_KINDS:
            return key in self.settings
        return self.trains or where == "target" or key in OF_TARGETS


BASELINES = ("majority", "bag-of-words")
_SQUAD = "SQuAD's rules: case, punctuation, `a`, `an`, `the` and spaces aside; the best of several answers"
_MLQA = "MLQA's rules: case, punctuation of all scripts and the language's articles aside; Chinese by character"

KINDS: Mapping[str, Kind] = {
    k.name: k
    for k in (
        Kind(
            "classification",
            ("text", "pair", "label"),
            ("text", "label"),
            {
                "accuracy": Metric("share of examples whose highest score is at the label"),
                "macro-f1": Metric("mean of F1 over the labels that occur or are predicted (scikit-learn)"),
                "mcc": Metric("Matthews correlation coefficient of labels and predictions (scikit-learn)"),
            },
            ("baselines",),
            BASELINES,
            needs_labels=True,
            cluster="text",
        ),
        Kind(
            "multiple-choice",
            ("context", "question", "choices", "label"),
            ("choices", "label"),
            {"accuracy": Metric("share of examples whose highest score is at the label")},
            ("baselines",),
            BASELINES,
            cluster="context",
        ),
        Kind(
            "span-qa",
            ("context", "question", "answers"),
            ("context", "question", "answers"),
            {
                "f1": Metric(f"F1 over words. {_SQUAD}"),
                "em": Metric(f"share of answers that match. {_SQUAD}"),
                "mlqa-f1": Metric(f"F1 over words. {_MLQA}"),
                "mlqa-em": Metric(f"share of answers that match. {_MLQA}"),
            },
            ("baselines", "stride", "max-query", "max-answer", "n-best", "null-threshold"),
            ("majority",),
            cluster="context",
        ),
        Kind(
            "tagging",
            ("tokens", "tags"),
            ("tokens", "tags"),
            {
                "f1": Metric("F1 over spans (seqeval); of tags without B- and I- equal neighbours are one span"),
                "accuracy": Metric("share of words whose tag is right"),
            },
            ("baselines",),
            BASELINES,
            needs_labels=True,
        ),
        Kind(
            "regression",
            ("text", "pair", "value"),
            ("text", "value"),
            {
                "pearson": Metric("Pearson correlation of values and predictions (SciPy)"),
                "spearman": Metric("Spearman rank correlation of values and predictions (SciPy)"),
            },
            cluster="text",
        ),
        Kind(
            "masked-lm",
            ("text",),
            ("text",),
            {"accuracy": Metric("share of hidden tokens that are found")},
            ("mask",),
            labelled=False,
        ),
        Kind(
            "retrieval",
            ("query", "document", "gold", "query-id", "document-id"),
            ("query", "document"),
            {
                "accuracy": Metric("share of queries whose document is found"),
                "f1": Metric("F1 over the pairs that are found, as XTREME scores BUCC", version=2, has_threshold=True),
            },
            ("layer", "pool", "similarity", "prefix", "match", "threshold"),
            labelled=False,
            trains=False,
        ),
    )
}


class SettingRule(Struct, frozen=True):
    """What a settings key takes.

    `sort` is one of int, float, share (10 % or a number of steps), word, words, text, limit, mix, under, select,
    similarity, threshold, call.
    """

    sort: str
    where: str  # "run", "part" or "target": what kind of node has it; "kind": targets of the kinds that name it
    meaning: str
    default: int | float | str | None = None
    low: float = 0.0
    high: float = float("inf")
    open_low: bool = False  # `low` itself is not allowed
    words: tuple[str, ...] = ()
    later: tuple[str, ...] = ()  # words or calls of the language that this version cannot run yet
    unset: str = ""  # what holds where nobody sets it, in words, where that is no value

    @property
    def available(self) -> bool:
        """Whether it takes any value yet."""
        return bool(self.words) or not self.later

    def built_in(self) -> str:
        """What holds where nobody sets it; "" where nothing does."""
        if self.unset or self.default is None:
            return self.unset
        if self.sort == "share":
            return f"{100 * float(self.default):g}%"
        return str(self.default).replace("e-0", "e-")

    def allowed(self) -> str:
        """The values in words, for messages."""
        if self.sort in _ALLOWED:
            return _ALLOWED[self.sort]
        match self.sort:
            case "word" | "call":
                return " or ".join(f"`{w}`" for w in (*self.words, *self.later))
            case "words":
                return f"a list such as `[{', '.join(self.words)}]`, or `none`"
        number = "a whole number" if self.sort == "int" else "a number"
        low = f"{number} {'above' if self.open_low else 'from'} {self.low:g}"
        high = f"{self.high:.0f}" if self.sort == "int" else f"{self.high:g}"
        return low if self.high == float("inf") else f"{low} to below {high}"


MIX_CAP = 131_072  # examples with which a part counts at most (T5 and jiant: K = 2^17)
MIX_ALLOWED = "`proportional`, `proportional(cap: N)`, `uniform`, `temperature(T)` or `weights(TASK: W, …)`"

SELECT_ALLOWED = "`last`, `best` or `best(METRIC, every: STEPS, patience: N, limit: N, on: source)`"
# Keys of a run of which `best {…}` may not choose a value.
UNTUNED = ("seed", "seeds", "select", "precision", "degenerate")

UNDER_ALLOWED = "`clean`, `typos(rate: R)`, `casing`, `casing(rate: R)` or `word-drop(rate: R)`"
_ALLOWED: Mapping[str, str] = {  # by the sort of a setting
    "text": "a text in quotes",
    "mix": MIX_ALLOWED,
    "under": UNDER_ALLOWED,
    "select": SELECT_ALLOWED,
    "similarity": "`cosine`, `margin` or `margin(k: NEIGHBOURS)`",
    "threshold": "`dev`, or a number from -1000 to below 1000",
    "limit": "a number of rows, or `first(N)`",
    "share": "a share such as `10%` below 100 %, or a number of steps",
}
PERTURBATIONS: Mapping[str, float | None] = {"typos": None, "casing": 1.0, "word-drop": None}  # built-in rates

_SEED_END = float(2**32)

SETTINGS: Mapping[str, SettingRule] = {
    "epochs": SettingRule("int", "run", "passes over the training data", 3, low=1),
    "steps": SettingRule("int", "run", "optimizer steps", None, low=1),
    "batch": SettingRule("int", "run", "examples per optimizer step", 32, low=1),
    "lr": SettingRule("float", "run", "peak learning rate", 1e-5, high=1.0, open_low=True),
    "warmup": SettingRule("share", "run", "linear warmup", 0.1),
    "schedule": SettingRule("word", "run", "decay after the warmup", "linear", words=("linear", "cosine", "constant")),
    "weight-decay": SettingRule("float", "run", "weight decay", 0.01, high=1.0),
    "eps": SettingRule("float", "run", "epsilon of AdamW", 1e-8, high=1.0, open_low=True),
    "clip": SettingRule("float", "run", "largest norm of the gradient", 1.0, open_low=True),
    "optimizer": SettingRule("word", "run", "optimizer", "adamw", words=("adamw",)),
    "dropout": SettingRule("float", "run", "dropout", None, high=1.0, unset="the model's own"),
    "seed": SettingRule("int", "run", "seed of head, data order and dropout", 1, high=_SEED_END),
    "seeds": SettingRule("int", "run", "the seeds 1 … N as an axis", None, low=1, high=10_000),
    "select": SettingRule("select", "run", "which checkpoint goes on", "last", words=("last", "best")),
    "mix": SettingRule(
        "mix", "run", "how a mixture draws its parts", unset=f"proportional(cap: {MIX_CAP}) for several parts"
    ),
    "robust": SettingRule(
        "call", "run", "robust training", "none", words=("none",), later=("adversarial", "smoothing", "augment")
    ),
    "degenerate": SettingRule(
        "call",
        "run",
        "runs that collapse to chance or to one answer",
        "report",
        words=("report", "exclude", "restart"),
    ),
    "tune": SettingRule("call", "run", "which weights learn", "full", words=("full", "head"), later=("bitfit", "lora")),
    "precision": SettingRule("word", "run", "numbers in training", "fp32", words=("fp32", "bf16", "auto")),
    "max-length": SettingRule("int", "part", "longest sequence in tokens", 256, low=8, high=100_000),
    "limit": SettingRule("limit", "part", "rows of each data set", unset="all"),
    "head": SettingRule("word", "part", "where the head starts", "new", words=("new", "keep")),
    "mask": SettingRule("float", "part", "share of tokens to predict", 0.15, high=1.0, open_low=True),
    "split": SettingRule(
        "word", "target", "which split is scored", None, words=("dev", "test", "train"), unset="test, else dev"
    ),
    "under": SettingRule("under", "target", "perturbation of the texts", "clean", words=("clean",)),
    # Of some kinds alone, at their targets.
    "baselines": SettingRule("words", "kind", "scores beside those of the arms", words=BASELINES, unset="none"),
    "layer": SettingRule(
        "int", "kind", "layer whose hidden states are a sentence's vectors", None, high=1000, unset="the last"
    ),
    "pool": SettingRule("word", "kind", "how vectors of tokens become one", "mean", words=("mean", "cls")),
    "similarity": SettingRule("similarity", "kind", "similarity of two vectors", "cosine", words=("cosine", "margin")),
    "prefix": SettingRule("text", "kind", "text before each sentence", "", unset="none"),
    "match": SettingRule(
        "word", "kind", "which pairs are found", "forward", words=("forward", "backward", "intersection", "max")
    ),
    "threshold": SettingRule(
        "threshold",
        "kind",
        "similarity from which a pair counts",
        words=("dev",),
        low=-1000,
        high=1000,
        unset="all count",
    ),
    "stride": SettingRule("int", "part", "tokens from one window to the next", 128, low=1, high=100_000),
    "max-query": SettingRule("int", "part", "longest question in tokens", 64, low=1, high=100_000),
    "max-answer": SettingRule("int", "kind", "longest answer in tokens", 30, low=1, high=100_000),
    "n-best": SettingRule("int", "kind", "starts and ends tried in each window", 20, low=1, high=1000),
    "null-threshold": SettingRule(
        "float", "kind", "margin of no answer", None, low=-1000, high=1000, unset="every question is answered"
    ),
}

OF_ENCODING = ("stride", "max-query")  # keys that one kind alone has: how its rows are encoded
OF_ANSWERS = ("max-answer", "n-best", "null-threshold")  # and how answers are taken from its predictions
OF_KINDS = ("mask", *OF_ENCODING)  # keys of a part that some kinds alone have
OF_TARGETS = ("limit", "max-length", "precision", *OF_KINDS)  # keys of a target besides those that only targets have


class Interval(Struct, frozen=True):
    """The numbers from `low` to `high`; an open end is not one of them."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        return above and (number < self.high if self.open_high else number <= self.high)

    def __str__(self) -> str:
        low, high = "above" if self.open_low else "from", "to below" if self.open_high else "to"
        if self.high == float("inf"):
            return f"{low} {self.low:g}"
        return f"{low} {self.low:g} {high} {self.high:g}"


class ArgumentRule(Struct, frozen=True):
    """What an argument of a method takes: numbers, words, or a text (None)."""

    values: Interval | tuple[str, ...] | None
    example: str
    default: int | float | str | None = None
    whole: bool = False
    required: bool = False

    def allowed(self) -> str:
        """The values in words, for messages."""
        match self.values:
            case None:
                return "a text in quotes"
            case tuple() as words:
                return " or ".join(f"`{w}`" for w in words)
            case Interval() as values:
                return f"a {'whole ' if self.whole else ''}number {values}"


_ABOVE_0 = Interval(0, float("inf"), open_low=True)
_FROM_1 = Interval(1, float("inf"))

METHODS: Mapping[str, dict[str, ArgumentRule]] = {  # values with arguments of their own, in what order a key has them
    "adversarial": {
        "eps": ArgumentRule(_ABOVE_0, "0.1", required=True),
        "steps": ArgumentRule(_FROM_1, "3", 1, whole=True),
        "norm": ArgumentRule(("l2", "linf"), "l2", "l2"),
    },
    "smoothing": {"sigma": ArgumentRule(_ABOVE_0, "0.1", required=True)},
    "augment": {
        "synonyms": ArgumentRule(None, '"synonyms.json"', required=True),
        "copies": ArgumentRule(_FROM_1, "3", 1, whole=True),
    },
    "bitfit": {},
    "restart": {"tries": ArgumentRule(_FROM_1, "3", 3, whole=True)},
    "lora": {"r": ArgumentRule(_FROM_1, "8", whole=True, required=True)},
    "margin": {"k": ArgumentRule(_FROM_1, "4", 4, whole=True)},
}

# Two keys of one slot: the nearer one wins, both at one place is an error.
SLOT = {"steps": "epochs", "seeds": "seed"}

# What other tools call it.
SYNONYMS: Mapping[str, str] = {
    "learning-rate": "lr", "batch-size": "batch", "num-epochs": "epochs", "max-steps": "steps", "max-len": "max-length",
    "max-seq-length": "max-length", "warmup-ratio": "warmup", "warmup-steps": "warmup", "max-grad-norm": "clip",
    "adam-epsilon": "eps", "validation": "dev", "valid": "dev", "val": "dev", "eval": "dev",
}  # fmt: skip

FORMATS: Mapping[str, str] = {  # format -> usual suffix; "" is recognised by `format:` alone
    "jsonl": ".jsonl",
    "csv": ".csv",
    "tsv": ".tsv",
    "parquet": ".parquet",
    "arrow": ".arrow",
    "text": ".txt",
    "conllu": ".conllu",
    "squad": "",
}
TABLES = ("csv", "tsv")  # formats whose files may lack a first line of names

DECLARATION_KEYS: Mapping[str, tuple[str, ...]] = {
    "model": ("weights", "size", "settings", "licence", "cite", "unverified"),
    "task": (
        "data", "size", "source", "languages", "input", "labels", "metrics", "split", "settings", "licence", "cite",
        "codes", "filter", "join", "cluster", "per-language", "derived-from", "overlaps", "obtain", "unverified",
        "published", "distances",
    ),
}  # fmt: skip
UNINHERITED = ("published",)  # keys that speak of one declaration alone
OF_CONTENT = ("size", "obtain", "unverified", "licence", "cite")  # and those that speak of its data or weights

SIZES: Mapping[str, tuple[str, ...]] = {  # what `size` may say
    "model": ("layers", "width", "feedforward", "vocabulary", "positions", "parameters"),
    "task": (*SPLITS, "tokens"),
}
UNVERIFIED = ("repository", "splits", "columns", "labels", "languages", "size", "weights")  # what nobody has seen
OF_A_SCORE = ("system", "source", "model", "split", "note")  # keys of a published score besides metrics
READING_KEYS = ("data", "filter", "join", "cluster", "input")  # how rows are read: what `per-language` may change

MOST_RUNS = 20_000  # of one experiment; more is a slip of axes that multiply, and would take minutes to plan
MOST_PARTS = 1_000  # of a mixture
DEEPEST = 64  # lets within lets, groups within groups, declarations from declarations

ARCHITECTURES = ("xlm-roberta",)

# Countries taken for languages. What BCP 47 knows of other codes comes from a library (compiler/tags.py).
LANGUAGE_SLIPS: Mapping[str, str] = {"jp": "ja", "jap": "ja", "cz": "cs", "gr": "el", "cn": "zh", "ua": "uk"}
