"""Span question answering: which part of a context answers a question (SQuAD, XQuAD, MLQA, TyDiQA-GoldP).

A context that is too long is read in windows, each behind the question: `<s> question </s></s> window </s>`; a window
begins `stride` tokens after the one before (Devlin et al. 2019 and `run_squad.py` of BERT). The head gives each token a
score as the answer's start and one as its end; a window without the answer points at its first token, as does one of a
question that has none. Answers are taken as `compute_predictions_logits` of transformers takes them
(`transformers/data/metrics/squad_metrics.py`, which jiant and XTREME use): the best pair of the `n-best` starts and
ends of each window, the start in the window in which its token has the most context, and no longer than `max-answer`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from tokenizers import Encoding
from torch import Tensor, nn
from torch.nn import functional

from runtime.columns import common
from runtime.errors import BadInput
from runtime.kinds import answers
from runtime.kinds.kind import Batch, Coding, Encoded, Items, Kind, Measured, Own
from runtime.kinds.sums import averaged, rows_of
from runtime.kinds.texts import room_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

BITS = _START, _END = 1, 2  # of a token's target
NULL = "null-threshold"


class Head(nn.Module):
    """Each token's vector -> its scores as start and as end."""

    def __init__(self, width: int, deviation: float) -> None:
        super().__init__()
        self.span = nn.Linear(width, 2)
        nn.init.normal_(self.span.weight, std=deviation)
        nn.init.zeros_(self.span.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, T, H) -> (N, T, 2)."""
        scores: Tensor = self.span(hidden)
        return scores


def head(encoder: nn.Module, _labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    config: Any = encoder.config
    return Head(config.hidden_size, config.initializer_range)


# --- rows to windows


class Window(Struct, frozen=True):
    """Some tokens of a context: from `first` to before `end`; the first of them is the `at`-th of the sequence."""

    first: int
    end: int
    at: int


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """One sequence a window. The question loses its end where it is longer than `max-query`.

    A row whose first answer does not stand where it says trains nothing.
    """
    tokenizer, context, given = coding.tokenizer, text_of(values, "context"), _answers(values["answers"])
    question = tokenizer.encode(text_of(values, "question").lstrip(), add_special_tokens=False)
    cut = len(question) > coding.own["max-query"]
    question.truncate(coding.own["max-query"])
    encoding = tokenizer.encode(context, add_special_tokens=False)
    parts = list(_parts(len(encoding), _room(question, coding), coding.own["stride"]))
    span = None if coding.scored or not given else _span(*given[0], context, encoding.offsets)
    made = [_window(tokenizer, question, encoding, part) for part in parts]
    return Encoded(
        sequences=tuple(whole.ids for whole, _ in made),
        segments=tuple(whole.type_ids for whole, _ in made),
        label=None if span is None and given and not coding.scored else -1,
        cut=cut or len(made) > 1,
        targets=tuple(_targets(len(whole), window, span) for whole, window in made),
        kept={
            "context": context,
            "answers": [text for text, _ in given],
            "offsets": [list(offset) for offset in encoding.offsets],
            "windows": [[window.first, window.end, window.at] for _, window in made],
        },
    )


def _answers(value: object) -> list[tuple[str, int]]:
    """Texts and starts of the answers, of `{text: […], answer_start: […]}` or a list of such for one answer each."""
    if value is None:
        return []
    records = value if isinstance(value, list | tuple) else [value]
    found: list[tuple[str, int]] = []
    for record in records:
        if not isinstance(record, dict) or not {"text", "answer_start"} <= record.keys():
            hint = "it must have `text` and `answer_start`, as SQuAD's: `{{ answers }}`"
            raise BadInput(f"`answers` is {value!r:.60}", hint, "input.answers")
        texts, starts = (v if isinstance(v, list | tuple) else [v] for v in (record["text"], record["answer_start"]))
        if len(texts) != len(starts) or not all(isinstance(s, int) for s in starts):
            hint = "each text has one whole number in `answer_start`, where it begins in the context"
            raise BadInput(f"`answers` is {value!r:.60}", hint, "input.answers")
        found += [(str(text), start) for text, start in zip(texts, starts, strict=True)]
    return found


def _room(question: Any, coding: Coding) -> int:  # noqa: ANN401
    """How many tokens of the context one window has room for."""
    room = room_of(coding, is_pair=True) - len(question)
    if room < 1:
        hint = "set a larger `max-length`, or a smaller `max-query`"
        raise BadInput(f"a question of {len(question)} tokens leaves no room for its context", hint, "max-length")
    return room


def _parts(tokens: int, room: int, stride: int) -> Iterator[tuple[int, int]]:
    """The tokens of each window, as (first, behind the last); no token is left out, whatever the stride."""
    first = 0
    while first + room < tokens:
        yield first, first + room
        first += min(room, stride)
    yield first, tokens


def _span(text: str, start: int, context: str, offsets: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The first and the last token of an answer; None where the text does not stand at `start`."""
    if start < 0 or not text.strip() or context[start : start + len(text)] != text:
        return None
    first = bisect_right([end for _, end in offsets], start)
    last = bisect_left([begin for begin, _ in offsets], start + len(text)) - 1
    return (first, last) if first <= last else None


def _window(tokenizer: Any, question: Any, context: Any, part: tuple[int, int]) -> tuple[Any, Window]:  # noqa: ANN401
    """The encoding of a window behind its question, and where in it the window is."""
    first, end = part
    piece = Encoding.merge([context])  # `truncate` changes its object
    piece.truncate(end)
    piece.truncate(end - first, direction="left")
    whole = tokenizer.post_process(question, piece, add_special_tokens=True)
    behind = int(tokenizer.num_special_tokens_to_add(is_pair=False)) - 1  # the one that closes every sequence
    return whole, Window(first, end, len(whole) - max(behind, 0) - (end - first))


def _targets(length: int, window: Window, span: tuple[int, int] | None) -> list[int]:
    """Where the answer starts and ends in a window, which is the first token where it does not."""
    targets = [0] * length
    inside = span is not None and window.first <= span[0] and span[1] < window.end
    first, last = (window.at + at - window.first for at in span) if span is not None and inside else (0, 0)
    targets[first] |= _START
    targets[last] |= _END
    return targets


# --- loss and predictions


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Mean of the cross entropies of start and end, summed over the batch's windows."""
    if batch.targets is None:
        raise ValueError("a batch of span-qa has targets")
    scores = _scores(head, hidden, batch)
    targets = batch.targets.clamp(min=0)
    starts, ends = (targets & _START).argmax(dim=1), (targets & _END).argmax(dim=1)
    one, other = (functional.cross_entropy(scores[..., n], t, reduction="sum") for n, t in ((0, starts), (1, ends)))
    return (one + other) / 2


def _scores(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """(N, T, 2); what is padding never starts or ends an answer."""
    scores: Tensor = head(hidden).float()
    return scores.masked_fill(batch.attention[..., None] == 0, float("-inf"))


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example the scores of each of its windows, (T, 2)."""
    scores = _scores(head, hidden, batch).cpu().numpy()
    lengths = batch.attention.sum(dim=1).tolist()
    windows = iter([scores[n, :length] for n, length in enumerate(lengths)])
    return {"row": batch.rows.tolist(), "scores": [[next(windows) for _ in range(n)] for n in batch.choices.tolist()]}


def finish(found: Mapping[str, list[Any]], kept: Any, own: Own) -> dict[str, list[Any]]:  # noqa: ANN401
    """For each question the answer, its score, and by how much no answer scores higher (`no_answer`).

    Where `null-threshold` is set, a question for which that is above it has the empty answer.
    """
    language, threshold = common(kept)["language"], own.get(NULL)
    predictions, scores, margins = [], [], []
    for windows, record in zip(found["scores"], kept.to_pylist(), strict=True):
        text, score = _best(windows, record, own)
        margin = min(float(w[0].astype(np.float64).sum()) for w in windows) - score
        predictions.append("" if threshold is not None and margin > threshold else text)
        scores.append(score)
        margins.append(margin)
    size = len(predictions)
    return {
        "row": found["row"],
        "label": kept.column("answers").to_pylist(),
        "prediction": predictions,
        "score": scores,
        "no_answer": margins,
        "language": [language] * size,
        "may_be_empty": [threshold is not None] * size,
    }


def _best(windows: list[NDArray[np.float32]], record: Mapping[str, Any], own: Own) -> tuple[str, float]:
    """The text of the best span and its score; no text where no window has one."""
    parts = [Window(*w) for w in record["windows"]]
    best, text = -np.inf, ""
    for number, (scores, part) in enumerate(zip(windows, parts, strict=True)):
        for score, first, last in _spans(scores.astype(np.float64), part, own):
            if score <= best:
                break
            if _most_context(first, parts) != number:
                continue
            said = record["context"][record["offsets"][first][0] : record["offsets"][last][1]].strip()
            if said:
                best, text = score, said
                break
    return text, best


def _spans(scores: NDArray[np.float64], part: Window, own: Own) -> Iterator[tuple[float, int, int]]:
    """Score, first and last token of the spans of a window, best first, of its best starts and ends."""
    starts, ends = (np.argsort(-scores[:, n], kind="stable")[: own["n-best"]] for n in (0, 1))
    inside = [(a, b) for a in starts for b in ends if _is_span(int(a), int(b), part, own["max-answer"])]
    shift = part.first - part.at
    found = [(float(scores[a, 0] + scores[b, 1]), int(a) + shift, int(b) + shift) for a, b in inside]
    yield from sorted(found, key=lambda span: -span[0])


def _is_span(first: int, last: int, part: Window, most: int) -> bool:
    return part.at <= first <= last < part.at + part.end - part.first and last - first < most


def _most_context(token: int, parts: list[Window]) -> int:
    """The window in which a token has the most context on its poorer side, the longer of equals, the first of those.

    As `_new_check_is_max_context` of transformers (`transformers/data/processors/squad.py`).
    """
    having = [(n, w) for n, w in enumerate(parts) if w.first <= token < w.end]
    contexts = {n: min(token - w.first, w.end - 1 - token) + 0.01 * (w.end - w.first) for n, w in having}
    return max(contexts, key=lambda n: contexts[n])


# --- metrics


def _measured(table: Any, metric: answers.Compare) -> Measured:  # noqa: ANN401
    """The mean over questions of what a prediction is worth."""
    found = _worth(table, metric)
    return Measured(sum(found) / len(found), len(found), None)


def _worth(table: Any, metric: answers.Compare) -> list[float]:  # noqa: ANN401
    """What the prediction of each question is worth."""
    columns = (table.column(name).to_pylist() for name in ("prediction", "label", "language", "may_be_empty"))
    return [answers.best(metric, *row) for row in zip(*columns, strict=True)]


def _items(metric: answers.Compare) -> Callable[[Any], Items]:
    """Questions of which each gives what its prediction is worth."""
    return lambda table: averaged(rows_of(table), np.array(_worth(table, metric)))


def f1(table: Any) -> Measured:  # noqa: ANN401
    """Mean F1 over words, as SQuAD's evaluation."""
    return _measured(table, answers.f1)


def em(table: Any) -> Measured:  # noqa: ANN401
    """Share of exact matches, as SQuAD's evaluation."""
    return _measured(table, answers.exact)


def mlqa_f1(table: Any) -> Measured:  # noqa: ANN401
    """Mean F1 over words, as MLQA's evaluation."""
    return _measured(table, answers.mlqa_f1)


def mlqa_em(table: Any) -> Measured:  # noqa: ANN401
    """Share of exact matches, as MLQA's evaluation."""
    return _measured(table, answers.mlqa_exact)


KIND = Kind(
    name="span-qa",
    fields=("context", "question", "answers"),
    required=("context", "question", "answers"),
    texts=("question",),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    finish=finish,
    metrics={"f1": f1, "em": em, "mlqa-f1": mlqa_f1, "mlqa-em": mlqa_em},
    items={
        "f1": _items(answers.f1),
        "em": _items(answers.exact),
        "mlqa-f1": _items(answers.mlqa_f1),
        "mlqa-em": _items(answers.mlqa_exact),
    },
    apart=True,
)
