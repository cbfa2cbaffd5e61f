"""What stands in for the experiments of the sketches: the same labels and axes over data that are not read."""

from dsl.parse import parse
from dsl.source import Source
from dsl.syntax import Claim, Report
from tests.fuzzing import ROOT

SKETCHES = ROOT / "tests" / "cases" / "syntax" / "valid"


def tasks(names, languages="[en, de, fr, sw]"):
    """A task of two choices by each name, with data of its own."""
    lines = 'input: { choices: ["{{ a }}", "{{ b }}"], label: "{{ l }}" }'
    return "".join(
        f'task {n} : multiple-choice {{ data: hf("in/{n}") source: en languages: {languages} {lines} }}\n'
        for n in names.split()
    )


def benchmarks(pairs, languages="[en, de, fr, sw]"):
    """A benchmark of each task: `xnli:mnli`."""
    return "".join(
        f'benchmark {name} : {task} {{ data: hf("in/{name}") languages: {languages} }}\n'
        for name, _, task in (pair.partition(":") for pair in pairs.split())
    )


STANDINS = {
    "robustness": """
let intermediate = { skip | hellaswag | mnli | siqa | all: hellaswag + mnli + siqa }
suite reasoning { -> copa @ xcopa[*] | -> arc-challenge @ m-arc[*] | -> hellaswag @ m-hellaswag[*] }
robust: {xlmr-base | xlmr-large | mbert} -> intermediate -> reasoning
  with (seeds: 5, under: {clean | light: typos(rate: 0.1) | heavy: typos(rate: 0.2) | casing})
""",
    "xcopa2020": """
let setting = { co: copa | si: siqa | sico: siqa -> copa }
xcopa-2020: xlmr-large -> setting @ xcopa[*]
  with (seeds: 5, select: {zs: best(accuracy) | tlv: best(accuracy, on: target)})
""",
    "phang2020": """
let intermediate = { skip | mnli | qqp | all9: mnli + qqp + siqa }
let mlm = { skip | wiki: mlm-wiki[de] }
suite three { -> mnli @ xnli[*] | -> pawsx @ pawsx[*] | -> squad1.1 @ xquad[*], mlqa[*] }
phang: xlmr-large -> intermediate -> mlm -> three with (seeds: 3)
phang-tr: xlmr-large -> {skip | qqp} -> three
""",
    "huang2021": benchmarks("xnli-pairs:xnli", "pairs(de, en, es)")
    + """
huang: mbert -> xnli(seed: 7, robust: {none | adv: adversarial(eps: 1.0, steps: 3, norm: l2)
  | rp: smoothing(sigma: 0.1) | da: augment(synonyms: "counterfitted_neighbors.json", copies: 3)})
  @ xnli[*], xnli-pairs[*]
""",
}


def conclusions(sketch):
    """The reports and claims of a sketch, as it writes them."""
    spec, _ = parse(Source(sketch, (SKETCHES / f"{sketch}.xfer").read_text(encoding="utf-8")))
    return "\n".join(s.span.text for s in spec.statements if isinstance(s, Report | Claim))
