"""Valid specs over the files of `tests.compiling`, as values that a test can change one thing of."""

from hypothesis import strategies as st
from msgspec import Struct

from tests.compiling import PRELUDE

LANGUAGES = ("en", "de", "sw")

# Every setting of a training, with values that differ from each other and from the built-in one.
TRAINING = {
    "epochs": ("2", "4"),
    "steps": ("10", "1k"),
    "batch": ("8", "16"),
    "lr": ("1e-4", "2e-4", "3e-5"),
    "warmup": ("5%", "500"),
    "schedule": ("cosine", "constant"),
    "weight-decay": ("0", "0.1"),
    "eps": ("1e-6", "1e-7"),
    "clip": ("0.5", "2"),
    "dropout": ("0", "20%"),
    "seed": ("2", "77"),
    "precision": ("bf16",),
    "mix": ("uniform", "temperature(2)", "proportional(cap: 10)"),
}
DATA = {"max-length": ("32", "128"), "limit": ("10", "first(10)", "1k")}
SETTINGS = {**TRAINING, **DATA}
TARGET = {**DATA, "baselines": ("majority", "[bag-of-words]", "[majority, bag-of-words]", "none")}


class Stage(Struct, frozen=True):
    """`a[de, sw](lr: 1e-4)`, or with others beside it `(a[de, sw] + t)(lr: 1e-4)`"""

    task: str
    languages: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()

    def text(self):
        languages = f"[{', '.join(self.languages)}]" if self.languages else ""
        settings = f"({', '.join(f'{k}: {v}' for k, v in self.settings)})" if self.settings else ""
        parts = " + ".join([self.task + languages, *self.beside])
        return f"({parts}){settings}" if self.beside and settings else parts + settings

    def arm(self):
        """The same as an alternative, which needs a label if it is a mixture."""

        return f"{self.task}-and-more: {self.text()}" if self.beside else self.text()


class Study(Struct, frozen=True):
    """A chain whose first stage may be a choice, and what stands around it."""

    stages: tuple[Stage, ...]
    target: Stage
    arms: tuple[Stage, ...] = ()  # beside `skip`, before the stages
    seeds: int = 1
    label: str = ""
    by_let: bool = False
    comments: bool = False
    last_first: bool = False  # the chain before the declarations

    def axes(self):
        """The choices of the chain that are not averaged."""
        return (["i"] if self.by_let else ["stage-1"]) if self.arms else ["model"]

    def text(self):
        arms = " | ".join(["skip", *(arm.arm() for arm in self.arms)])
        choice = ["i"] if self.by_let and self.arms else [f"{{{arms}}}"] if self.arms else []
        chain = " -> ".join(["m", *choice, *(s.text() for s in self.stages)])
        seeds = f" with (seeds: {self.seeds})" if self.seeds > 1 else ""
        lines = [f"let i = {{{arms}}}"] if self.by_let and self.arms else []
        lines += [f"{self.label + ': ' if self.label else ''}{chain} @ {self.target.text()}{seeds}"]
        parts = [*lines, PRELUDE] if self.last_first else [PRELUDE, *lines]
        text = "\n".join(parts)
        return text.replace("\n", "  # a comment\n\n") if self.comments else text


def settings(keys=SETTINGS, most=3):
    """Some settings; `epochs` and `steps` are one slot."""
    pairs = st.lists(st.sampled_from(sorted(keys)), unique_by=lambda k: "epochs" if k == "steps" else k, max_size=most)
    return pairs.flatmap(lambda chosen: st.tuples(*(st.tuples(st.just(k), st.sampled_from(keys[k])) for k in chosen)))


def stages():
    """One stage."""
    languages = st.lists(st.sampled_from(LANGUAGES), unique=True, max_size=3).map(tuple)
    return st.sampled_from(["a", "b", "c"]).flatmap(
        lambda task: st.builds(Stage, st.just(task), languages, settings(), st.sampled_from(_BESIDE[task]))
    )


# One head of a task answers for what inherits from it; two parts of one task would leave it unclear which.
_BESIDE = {
    task: [
        (),
        (),
        *(tuple(o for o in others if o != task) for others in (("b",), ("t", "a"), ("t(mask: 30%)", "skip"))),
    ]
    for task in ("a", "b", "c")
}


def studies():
    """One to three stages, after a choice or none, and a target in some languages."""
    languages = st.lists(st.sampled_from([*LANGUAGES, "ta"]), unique=True, max_size=4).map(tuple)
    target = st.builds(Stage, st.just("x"), languages, settings(TARGET, 2))
    arms = st.lists(stages(), unique_by=lambda s: s.task, max_size=2).map(tuple)
    return st.builds(
        Study,
        st.lists(stages(), min_size=1, max_size=3).map(tuple),
        target,
        arms,
        st.integers(1, 3),
        st.sampled_from(["", "study"]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
