"""Multiple choice: which of C texts fits a context (COPA, HellaSwag, Social IQa).

Each choice is encoded with the context as a pair and scored from the first token by dense, tanh, dropout, linear;
softmax over the choices (as jiant does, `jiant/proj/main/modeling/heads.py`; the pair's order as in XTREME-R's XCOPA).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Encoding
from torch import Tensor, nn
from torch.nn import functional

from runtime.architectures import head_dropout
from runtime.errors import BadInput
from runtime.kinds.kind import Batch, Coding, Encoded, Items, Kind, Measured
from runtime.kinds.labels import is_unlabelled
from runtime.kinds.sums import averaged, rows_of, whole_of
from runtime.kinds.texts import room_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Head(nn.Module):
    """First token's vector -> one score."""

    def __init__(self, width: int, dropout: float, deviation: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(width, 1, bias=False)  # a bias would be the same for every choice
        for layer in (self.dense, self.score):
            nn.init.normal_(layer.weight, std=deviation)
        nn.init.zeros_(self.dense.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, T, H) -> (N,)."""
        first = hidden[:, 0]  # (N, H)
        scores: Tensor = self.score(self.dropout(torch.tanh(self.dense(self.dropout(first)))))
        return scores.squeeze(-1)


def head(encoder: nn.Module, _labels: int) -> Head:
    """A new head for an encoder, initialised as its own layers were."""
    config: Any = encoder.config
    return Head(config.hidden_size, head_dropout(config), config.initializer_range)


def encode(values: Mapping[str, Any], coding: Coding) -> Encoded:
    """Pairs (context and question, choice). What is too long loses its context's start, then its choice's end.

    The context is tokenised once for all choices.
    """
    tokenizer = coding.tokenizer
    choices = _texts(values["choices"])
    label = _label(values["label"], len(choices), coding.labels)
    first = " ".join(t for t in (_text(values, "context"), _text(values, "question")) if t)
    room = room_of(coding, is_pair=bool(first))
    context = tokenizer.encode(first, add_special_tokens=False) if first else None
    pairs = [_pair(tokenizer, context, choice, room) for choice in choices]
    return Encoded(
        tuple(p.ids for p, _ in pairs), tuple(p.type_ids for p, _ in pairs), label, any(cut for _, cut in pairs)
    )


def _pair(tokenizer: Any, context: Any, choice: str, room: int) -> tuple[Any, bool]:  # noqa: ANN401
    second = tokenizer.encode(choice, add_special_tokens=False)
    if context is None:
        cut = len(second) > room
        second.truncate(room)
        return tokenizer.post_process(second, None, add_special_tokens=True), cut
    cut = len(context) + len(second) > room
    if cut:
        context = Encoding.merge([context])  # `truncate` changes its object; `post_process` does not
        second.truncate(max(1, room - min(len(context), 1)))
        context.truncate(max(1, room - len(second)), direction="left")
    return tokenizer.post_process(context, second, add_special_tokens=True), cut


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) < 2:  # noqa: PLR2004
        raise BadInput(f"`choices` must be a list of two texts or more, not {value!r:.80}", None, "input.choices")
    if None in value:
        hint = "each choice must be a text in every row"
        raise BadInput(f"choice {value.index(None) + 1} of {len(value)} is null", hint, "input.choices")
    return [str(v) for v in value]


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value).strip()


def _label(value: object, choices: int, labels: tuple[str, ...]) -> int | None:
    """The index of the right choice: by name where labels are declared, else as a number; None where there is none."""
    if is_unlabelled(value, labels):
        return None
    text = str(value).strip()
    if labels:
        index, hint = labels.index(text) if text in labels else -1, f"the labels are {', '.join(labels)}"
    else:
        index = int(text) if text.isdecimal() and len(text) < 10 and not isinstance(value, bool) else -1  # noqa: PLR2004
        hint = f"it must be the index of a choice, 0 to {choices - 1}"
    if index < 0:
        raise BadInput(f"`label` is {value!r:.40}", hint, "input.label")
    if index >= choices:
        hint = f"it must be the index of a choice, 0 to {choices - 1}"
        raise BadInput(f"`label` is {value!r:.40}, and there are {choices} choices", hint, "input.label")
    return index


def _scores(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """(B, C) scores, padded with -inf where an example has fewer choices."""
    scores: Tensor = head(hidden).float()  # (N,)
    most = int(batch.choices.max())
    if bool((batch.choices == most).all()):
        return scores.view(-1, most)
    present = (torch.arange(most)[None] < batch.choices[:, None]).to(scores.device)  # (B, C)
    return torch.full(present.shape, -torch.inf, device=scores.device).masked_scatter(present, scores)


def loss(head: nn.Module, hidden: Tensor, batch: Batch) -> Tensor:
    """Cross entropy of the right choices, summed over the batch's examples."""
    return functional.cross_entropy(_scores(head, hidden, batch), batch.labels, reduction="sum")


def predict(head: nn.Module, hidden: Tensor, batch: Batch) -> dict[str, list[Any]]:
    """For each example: label, prediction, and the score of each choice."""
    scores = _scores(head, hidden, batch)
    choices = batch.choices.tolist()
    return {
        "row": batch.rows.tolist(),
        "label": batch.labels.tolist(),
        "prediction": scores.argmax(dim=-1).tolist(),
        "choices": choices,
        "scores": [row[:c] for row, c in zip(scores.tolist(), choices, strict=True)],
    }


def accuracy(table: Any) -> Measured:  # noqa: ANN401
    """Share of examples whose highest score is at the label; chance is the mean of 1/C."""
    found, choices = accuracy_items(table), table.column("choices").to_numpy()
    return Measured(whole_of(found), len(found.rows), float((1 / choices).mean()))


def accuracy_items(table: Any) -> Items:  # noqa: ANN401
    """Whether each example is right."""
    label, prediction = table.column("label").to_numpy(), table.column("prediction").to_numpy()
    return averaged(rows_of(table), label == prediction)


KIND = Kind(
    name="multiple-choice",
    fields=("context", "question", "choices", "label"),
    required=("choices", "label"),
    texts=("context", "question", "choices"),
    encode=encode,
    head=head,
    loss=loss,
    predict=predict,
    metrics={"accuracy": accuracy},
    items={"accuracy": accuracy_items},
)
