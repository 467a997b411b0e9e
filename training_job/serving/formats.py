"""The content types that the server reads and writes, and one record of each.

| type | a request | an answer |
|---|---|---|
| `application/json` | `{"inputs": "…"}` or `{"inputs": ["…", …]}`, with `parameters` or without | one object |
| `text/csv` | one text a record, quoted as in RFC 4180, no header | `label,confidence,score,truncated,model version` |
| `application/jsonlines` | `{"inputs": "…"}` a line, each with its `parameters` or without | one object a line |

The object of a JSON answer has `predictions` (`Prediction.as_dict`) and `model`: `version` and the number of `labels`.
A JSON line is a prediction with `model`, which has the `version` only.

A CSV record has a sixth field from a model for several labels: `labels`, a JSON list of their names. If `top_k` asked
for `scores` (a JSON request may ask for a CSV answer), they are the last field, a JSON list of objects.

CSV has no header line, because batch transform splits files, and only the first part would have it.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from serving.errors import RequestError
from serving.predictor import Prediction
from serving.request import DEFAULTS, Inputs, check_text, parse_inputs, parse_record

JSON, CSV, JSON_LINES = "application/json", "text/csv", "application/jsonlines"
TYPES = (JSON, CSV, JSON_LINES)

MAX_RECORDS = 100_000
"""Most records of one CSV or JSON Lines body: limits the memory for a body with one letter a line."""


def request_type(header: str | None) -> str:
    """Return the type of a body by its Content-Type (default: JSON). Raises RequestError (415)."""
    name, _, parameters = (header or JSON).partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "").partition("charset=")[2] or "utf-8"
    if name.strip().lower() not in TYPES or charset not in ("utf-8", "utf8", "us-ascii"):
        message = f"the body's type is not supported: allowed are {', '.join(TYPES)}, in UTF-8"
        raise RequestError(message, status=415, kind="unsupported_media_type")
    return name.strip().lower()


def answer_type(accept: str | None, content_type: str) -> str:
    """Return the type that Accept prefers, among equals the request's own; raise RequestError (406) for none."""
    best, best_quality = "", 0.0
    for part in (accept or "*/*").lower().split(","):
        pattern, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((_quality(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        for name in (content_type, *TYPES):
            if quality > best_quality and pattern in (name, f"{name.partition('/')[0]}/*", "*/*"):
                best, best_quality = name, quality
                break
    if not best:
        message = f"none of the types in Accept can be written: allowed are {', '.join(TYPES)}"
        raise RequestError(message, status=406, kind="not_acceptable")
    return best


def read_inputs(content_type: str, body: bytes | bytearray) -> Inputs:
    """Return the texts of a body. Raises RequestError, which names the record without quoting it."""
    if content_type == JSON:
        return parse_inputs(body)
    inputs = (_csv_inputs if content_type == CSV else _json_lines_inputs)(body)
    if not inputs.texts:
        raise RequestError("the body has no records: expected one text a line")
    return inputs


def write(content_type: str, predictions: Sequence[Prediction], *, version: str | None, labels: int) -> bytes:
    """Write the body of an answer of a model with so many `labels`."""
    if content_type == JSON:
        return _write_json(predictions, {"version": version, "labels": labels})
    return (_write_csv if content_type == CSV else _write_json_lines)(predictions, version)


def _csv_inputs(body: bytes | bytearray) -> Inputs:
    try:
        # Without newline translation, because a line break inside quotes is part of the text.
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start})") from error
    texts: list[str] = []
    try:
        for number, record in enumerate(reader, 1):
            _check_count(number)
            if len(record) != 1:
                allowed = 'expected one text, in double quotes where it holds a comma or a quote ("" inside)'
                raise RequestError(f"record {number} has {len(record)} fields: {allowed}")
            texts.append(check_text(record[0], f"record {number}"))
    except csv.Error as error:
        raise RequestError(f"record {len(texts) + 1} is not CSV ({error})") from error
    return Inputs(texts, [DEFAULTS] * len(texts), "record {1}")


def _json_lines_inputs(body: bytes | bytearray) -> Inputs:
    inputs = Inputs([], [], "line {1}")
    for number, line in enumerate(io.BytesIO(body), 1):
        _check_count(number)
        text, parameters = parse_record(line, inputs.name(number - 1))
        inputs.texts.append(text)
        inputs.parameters.append(parameters)
    return inputs


def _check_count(number: int) -> None:
    if number > MAX_RECORDS:
        raise RequestError(f"the body has more than {MAX_RECORDS} records: send the rest in another request")


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Made once: `json.dumps` makes an encoder for each record."""


def _write_json(predictions: Sequence[Prediction], model: dict[str, Any]) -> bytes:
    records = [prediction.as_dict() for prediction in predictions]
    return _dumps({"predictions": records, "model": model}).encode()


def _write_json_lines(predictions: Sequence[Prediction], version: str | None) -> bytes:
    model = {"model": {"version": version}}
    return "".join(_dumps(prediction.as_dict() | model) + "\n" for prediction in predictions).encode()


def _write_csv(predictions: Sequence[Prediction], version: str | None) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for each in predictions:
        answer = each.as_dict()
        lists = [_dumps(answer[name]) for name in ("labels", "scores") if name in answer]
        writer.writerow([each.label, each.confidence, each.score, str(each.truncated).lower(), version, *lists])
    return out.getvalue().encode()
