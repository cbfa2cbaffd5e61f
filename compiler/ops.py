"""What a node does. Every field can change the node's result, and nothing else is a field (docs/node-keys.md).

A field with a default, which is always None, came after results were stored: it stands in a key only where it is not
None, so that those stay valid.
"""

from __future__ import annotations

from msgspec import Struct

Key = str  # SHA-256 of a node's pre-image, 64 hexadecimal digits
Digest = str | None  # SHA-256 of a file's bytes, 64 hexadecimal digits; None while a big file is not hashed yet


# --- where weights come from ----------------------------------------------------------------------------------------


class Folder(Struct, frozen=True):
    """A local folder with a model: (relative name, digest) of each file that loading it reads."""

    files: tuple[tuple[str, Digest], ...]


class Scratch(Struct, frozen=True):
    """A randomly initialised encoder of a `transformers` architecture; `tokenizer` as in `Folder`."""

    architecture: str
    layers: int
    width: int
    heads: int
    feedforward: int
    positions: int  # longest sequence in tokens
    dropout: float  # the model's own
    seed: int
    tokenizer: tuple[tuple[str, Digest], ...]


class HubModel(Struct, frozen=True):
    """A model repository that `xfer.lock` does not pin; `revision` is what the spec asks for."""

    repository: str
    revision: str | None


# --- where rows come from -------------------------------------------------------------------------------------------


class FileRows(Struct, frozen=True):
    """Rows of local files, in this order; `columns` names those of a table without a header."""

    format: str
    files: tuple[Digest, ...]
    columns: tuple[str, ...]


class WorldRows(Struct, frozen=True):
    """Rows of the embedded world; `version` is the generator's. `text` alone has `mixed` and `low_resource`."""

    task: str
    split: str
    language: str
    version: int
    seed: int
    cognates: float
    mixed: float | None
    low_resource: float | None


class HubRows(Struct, frozen=True):
    """Rows of a data repository that `xfer.lock` does not pin; `revision` is what the spec asks for."""

    repository: str
    config: str | None
    split: str
    revision: str | None


class PythonRows(Struct, frozen=True):
    """Rows that a Python function yields, called with the split and the language; `module` is its file's digest."""

    module: Digest
    function: str
    version: int
    split: str
    language: str


class AbsentRows(Struct, frozen=True):
    """Rows, or labels, of local files that nobody has given yet: they lie in a root that is not named (`obtain:`)."""

    root: str
    pattern: str
    are_labels: bool = False


Rows = FileRows | WorldRows | HubRows | PythonRows | AbsentRows
Template = str | tuple[str, ...]  # a field's template, or one for each item of a list


# --- the ops --------------------------------------------------------------------------------------------------------


class Model(Struct, frozen=True):
    """Weights and tokenizer as published, or random ones."""

    source: Folder | Scratch | HubModel


class Limit(Struct, frozen=True):
    """The first `count` rows: of one fixed order that depends on the row's index alone, or of the data's own."""

    count: int
    order: str  # "fixed" or "own"


class Method(Struct, frozen=True):
    """A method with its arguments, in the order of `compiler.catalog.METHODS`."""

    name: str
    arguments: tuple[tuple[str, int | float | str], ...]


Own = tuple[tuple[str, int | float], ...]  # settings that one kind alone has, by key


class Perturbation(Struct, frozen=True):
    """How the texts of a target's rows are changed before they are encoded (`runtime.perturbing`)."""

    method: str  # "typos", "casing" or "word-drop"
    rate: float  # share of the letters or words that it befalls, in [0, 1]
    seed: int


class Data(Struct, frozen=True):
    """Encoded columns of one task, split and language."""

    model: Key  # for its tokenizer
    kind: str
    sources: tuple[tuple[str, tuple[Rows, ...]], ...]  # by name; "" is the name of the one that needs none
    join: str | None  # the column that joins the sources; None: by position
    filter: str | None  # the template that is true of the rows to keep
    language: str
    code: str  # the language as the data spell it
    split: str
    fields: tuple[tuple[str, Template], ...]
    labels: tuple[str, ...]
    max_length: int
    prefix: str  # text before each sentence
    limit: Limit | None
    scored: bool  # a target: every row must have a label
    under: Perturbation | None = None
    own: Own | None = None
    cluster: Template | None = None  # rows of which it is the same are one draw of a target's items

    @property
    def rows(self) -> tuple[Rows, ...]:
        """Those of all sources."""
        return tuple(rows for _, named in self.sources for rows in named)


class Part(Struct, frozen=True):
    """One task of a training: its data, and its head."""

    kind: str
    labels: tuple[str, ...]
    data: tuple[Key, ...]  # one a language
    head: str | int  # "new", or the index of the parent's head that it goes on from
    mask: float | None  # share of tokens to predict, for masked-lm


class Mix(Struct, frozen=True):
    """How each optimizer step draws its part, and of that one of its languages."""

    rule: str  # "proportional", "uniform", "temperature" or "weights"
    cap: int | None  # proportional: a part counts with at most so many examples
    temperature: float | None
    weights: tuple[float, ...]  # of the parts, in their order; they add up to 1


class Judge(Struct, frozen=True):
    """What one head of a checkpoint is worth on dev data: the mean of a metric over them, one set a language."""

    kind: str
    head: int
    data: tuple[Key, ...]
    metric: str
    metric_version: int
    mask: float | None
    own: Own | None = None


class Keep(Struct, frozen=True):
    """Which of its checkpoints a training keeps; each after so many steps, and the last, is a candidate."""

    every: int | None  # steps; None: an epoch
    judges: tuple[Judge, ...]  # the candidate whose mean over them is the highest, the earliest of equals; (): all
    patience: int | None  # ends the training after so many candidates in a row that were none


class Train(Struct, frozen=True):
    """One training stage from the weights of `parent`. The heads of its result are numbered as `parts` are."""

    parent: Key
    parts: tuple[Part, ...]  # in the order of `compiler.parts.ordered`
    mix: Mix | None  # None: one part, all its languages together, every example once an epoch
    length: tuple[str, int]  # ("epochs", n) or ("steps", n)
    batch: int
    lr: float
    warmup: float | int  # a share of the steps, or steps
    schedule: str
    weight_decay: float
    eps: float
    clip: float
    optimizer: str
    dropout: float | None  # None: the model's own
    seed: int
    precision: str
    keep: Keep | None = None  # None: the last checkpoint
    tune: str | Method | None = None  # None: all weights; "head": the new ones alone
    robust: Method | None = None
    restarts: int | None = None  # how often a training that collapsed begins anew, with another seed; None: never


class Select(Struct, frozen=True):
    """The best of all the checkpoints that some trainings kept: weights, as those of the training that it chose."""

    candidates: tuple[Key, ...]  # in the order of their keys: trainings whose heads are numbered alike
    judges: tuple[Judge, ...]  # as in `Keep`; of equals the first candidate's, and its earliest
    precision: str


class Vectors(Struct, frozen=True):
    """How sentences become vectors, and vectors are compared."""

    layer: int | None  # 0 is the embeddings' output; None the last
    pool: str
    similarity: str | Method
    match: str | None = None  # which pairs are found; None: for each query the document


class Predict(Struct, frozen=True):
    """Predictions of one head of `weights`, or of its vectors, one row an example."""

    weights: Key
    data: Key
    kind: str
    head: int | None  # None: of a kind that needs no head
    precision: str
    mask: float | None
    vectors: Vectors | None
    head_of: Key | None = None  # whose head it is, where not that of `weights`
    own: Own | None = None


class Baseline(Struct, frozen=True):
    """Predictions of a method without a network, learned from the training data of a stage; one row an example."""

    method: str  # "majority" or "bag-of-words"
    kind: str
    model: Key  # for what its tokenizer calls special
    train: tuple[Key, ...]  # one a language
    data: Key
    labels: tuple[str, ...]


class Score(Struct, frozen=True):
    """One metric over predictions."""

    predictions: Key
    metric: str
    metric_version: int
    threshold: float | None = None  # similarity from which a pair counts; None: all do
    tuned_on: Key | None = None  # the predictions by which that similarity is chosen

    @property
    def has_threshold(self) -> bool:
        """Whether predictions count from some similarity on."""
        return self.threshold is not None or self.tuned_on is not None


Op = Model | Data | Train | Select | Predict | Baseline | Score


def sources(op: Op) -> tuple[Folder | Scratch | HubModel | Rows, ...]:
    """Where `op` itself takes a model or rows from."""
    match op:
        case Model(source=source):
            return (source,)
        case Data():
            return op.rows
        case _:
            return ()


def digests(op: Op) -> tuple[str, ...]:
    """The contents, by SHA-256, that `op` itself reads from files, as far as they are known."""
    match op:
        case Model(source=Folder(files=named)) | Model(source=Scratch(tokenizer=named)):
            found: tuple[Digest, ...] = tuple(digest for _, digest in named)
        case Data():
            found = tuple(d for r in op.rows if isinstance(r, FileRows) for d in r.files)
        case _:
            found = ()
    return tuple(d for d in found if d is not None)


def inputs(op: Op) -> tuple[Key, ...]:
    """Keys of the nodes whose results `op` reads."""
    match op:
        case Model():
            return ()
        case Data(model=model):
            return (model,)
        case Train(parent=parent, parts=parts, keep=keep):
            judged = _judged(keep.judges) if keep is not None else ()
            return (parent, *(key for part in parts for key in part.data), *judged)
        case Select(candidates=candidates, judges=judges):
            return (*candidates, *_judged(judges))
        case Predict(weights=weights, data=data, head_of=other):
            return (weights, data) if other is None else (weights, data, other)
        case Baseline(model=model, train=train, data=data):
            return (model, *train, data)
        case Score(predictions=predictions, tuned_on=tuned_on):
            return (predictions,) if tuned_on is None else (predictions, tuned_on)


def _judged(judges: tuple[Judge, ...]) -> tuple[Key, ...]:
    return tuple(key for judge in judges for key in judge.data)
