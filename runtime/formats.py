"""Rows of one file, by its format; what a file holds that its format does not allow is told with its line."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

from runtime.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Row = dict[str, Any]

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_CONLLU_COMMENTS = ("sent_id", "text")
_ARROW_FILE = b"ARROW1"  # how a file of Arrow's begins; a stream has no such mark


def file_rows(path: Path, format_: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Each row of a file; `columns` names those of a table without a header."""
    match format_:
        case "jsonl":
            yield from _jsonl(path)
        case "csv":
            yield from _table(path, columns, delimiter=",", quoting=csv.QUOTE_MINIMAL)
        case "tsv":
            yield from _table(path, columns, delimiter="\t", quoting=csv.QUOTE_NONE)
        case "parquet":
            yield from _parquet(path)
        case "arrow":
            yield from _arrow(path)
        case "text":
            yield from ({"text": line.removesuffix("\n").removesuffix("\r")} for line in _lines(path))
        case "conllu":
            yield from _conllu(path)
        case "squad":
            yield from _squad(path)
        case other:
            raise AssertionError(f"the compiler let the format {other!r} through")


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        row = _json(line, f"{path}:{number}")
        if not isinstance(row, dict):
            raise BadInput(f"{path}:{number} is no JSON object", 'each line is one row: `{"column": value, …}`', "data")
        yield row


def _json(line: str, where: str) -> Any:  # noqa: ANN401
    """The value of one line, in which every text is Unicode."""
    try:
        value = json.loads(line)
        if "\\u" in line:  # only an escape can make half of a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise BadInput(f"{where} is nested too deep", None, "data") from error
    except UnicodeEncodeError as error:
        half = f"`\\u{ord(error.object[error.start]):04x}`"
        raise BadInput(
            f"{where} has {half}, half of a surrogate pair", "both halves make a character", "data"
        ) from error
    except ValueError as error:
        raise BadInput(f"{where} is no JSON: {error}", None, "data") from error
    return value


def _lines(path: Path) -> Iterator[str]:
    """Each line with its end, which is a line feed and nothing else."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                message = f"{path}:{number} is not UTF-8: {error.reason} at byte {error.start + 1} of the line"
                raise BadInput(message, None, "data") from error


def _table(path: Path, columns: tuple[str, ...], *, delimiter: str, quoting: int) -> Iterator[Row]:
    """Rows of text columns; the first line names them unless `columns` does."""
    records = _cells(path, delimiter, quoting)
    _, names = (0, list(columns)) if columns else next(records, (0, []))
    if doubled := sorted({n for n in names if names.count(n) > 1}):
        hint = "each column needs a name of its own; `columns: […]` names those of a file without a first line of names"
        raise BadInput(f"{path} has two columns called `{doubled[0]}`", hint, "data")
    for number, cells in records:
        if not cells:
            continue
        if len(cells) != len(names):
            message = f"{path}:{number} has {len(cells)} columns, and there are {len(names)} names"
            raise BadInput(message, f"the names are: {', '.join(names)}", "data")
        yield dict(zip(names, cells, strict=True))


def _cells(path: Path, delimiter: str, quoting: int) -> Iterator[tuple[int, list[str]]]:
    """The last line and the cells of each record."""
    reader = csv.reader(_lines(path), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        quoted = "a quote that is never closed makes one long field of all that follows"
        hint = None if quoting == csv.QUOTE_NONE else quoted
        raise BadInput(f"{path}:{reader.line_num} cannot be read: {error}", hint, "data") from error


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is no parquet file: {error}", None, "data") from error


def _arrow(path: Path) -> Iterator[Row]:
    """A file or a stream of Arrow's; `datasets` writes streams."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            is_file = source.read(len(_ARROW_FILE)) == _ARROW_FILE
            source.seek(0)
            reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches)) if is_file else reader
            for batch in batches:
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is no Arrow file: {error}", None, "data") from error


def _conllu(path: Path) -> Iterator[Row]:
    """One row a sentence (universaldependencies.org/format.html): a list for each column of its words.

    Lines of multiword tokens (`3-4`) and of empty nodes (`5.1`) are no words.
    """
    comments: dict[str, str] = {}
    words: list[list[str]] = []
    number = 0
    for number, line in enumerate(_lines(path), 1):
        text = line.rstrip("\r\n")
        if text.startswith("#"):
            key, equals, value = text[1:].partition("=")
            if equals:
                comments[key.strip()] = value.strip()
        elif text.strip():
            words += _word(text, len(words) + 1, f"{path}:{number}")
        elif comments or words:
            yield _sentence(words, comments, f"{path}:{number}")
            comments, words = {}, []
    if comments or words:
        yield _sentence(words, comments, f"{path}:{number}")


def _word(line: str, due: int, where: str) -> list[list[str]]:
    """The cells of a word, or nothing for a line that is none; `due` is the word's number in its sentence."""
    cells = line.split("\t")
    if len(cells) != len(CONLLU_COLUMNS):
        message = f"{where} has {len(cells)} columns, and CoNLL-U has {len(CONLLU_COLUMNS)}"
        raise BadInput(message, "columns are separated by tabs, sentences by empty lines", "data")
    if re.fullmatch(r"\d+[-.]\d+", cells[0], re.ASCII):
        return []
    if cells[0] != str(due):
        message = f"{where} is word {cells[0]!r:.20} where {due} is due"
        raise BadInput(message, "an empty line ends each sentence, and words are numbered from 1", "data")
    return [cells]


def _sentence(words: list[list[str]], comments: dict[str, str], where: str) -> Row:
    if not words:
        raise BadInput(f"{where} ends a sentence that has no words", None, "data")
    columns = {name: [word[n] for word in words] for n, name in enumerate(CONLLU_COLUMNS)}
    return {**columns, **{key: comments.get(key) for key in _CONLLU_COMMENTS}}


def _squad(path: Path) -> Iterator[Row]:
    """One row a question of a JSON file as SQuAD's (Rajpurkar et al. 2016)."""
    whole = _json("".join(_lines(path)), str(path))
    for at, article in _records(whole, "data", str(path)):
        for part, paragraph in _records(article, "paragraphs", at):
            context = _member(paragraph, "context", str, part)
            for where, question in _records(paragraph, "qas", part):
                yield _question(question, article.get("title"), context, where)


def _question(question: Row, title: object, context: str, where: str) -> Row:
    answers = [
        (_member(answer, "text", str, at), _member(answer, "answer_start", int, at))
        for at, answer in (_records(question, "answers", where) if "answers" in question else ())
    ]
    row = {
        "id": str(_member(question, "id", str | int, where)),
        "title": title,
        "context": context,
        "question": _member(question, "question", str, where),
        "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]},
    }
    return row | {k: question[k] for k in ("is_impossible",) if k in question}


def _records(value: object, key: str, where: str) -> Iterable[tuple[str, Row]]:
    """The records in the list `key` of a record, each with where it is."""
    for number, item in enumerate(_member(value, key, list, where)):
        at = f"{where}, {key}[{number}]"
        if not isinstance(item, dict):
            raise BadInput(f"{at} is no record", _SQUAD_HINT, "data")
        yield at, item


def _member(value: object, key: str, sort: Any, where: str) -> Any:  # noqa: ANN401
    """What stands at `key` of a record."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, sort) or isinstance(found, bool):
        raise BadInput(f"{where} has no `{key}` as SQuAD's files have it", _SQUAD_HINT, "data")
    return found


_SQUAD_HINT = "SQuAD: `data` holds `paragraphs` with a `context` and `qas`, each an `id`, a `question` and `answers`"
