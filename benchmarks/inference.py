"""Measure answers in this process, one text at a time on one thread, against the floors of the core.

    python benchmarks/inference.py --full ARTIFACT --test test.json [--student ARTIFACT] [--keep]

The artifacts are folders that the training job made (`python training_job/train.py …`, the student's with
`--student-layers 3`). Measured in one run, the variants taking turns, so that other load on the machine meets all:
the article's `pipeline`, the full model as onnxruntime's own tools make it, and ours; and the int8 peak of the core
without AMX. Prints times, the share of the peak that is reached, and accuracies with paired intervals. With --keep the
result goes to docs/benchmarks/.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import timeit
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI")  # the int8 peak is that without AMX

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
# A script's own folder comes first on the path; there, `serving` would be the benchmark of that name.
sys.path[0:1] = [str(ROOT), str(ROOT / "training_job")]

from benchmarks.inference_report import (  # noqa: E402
    AS_FOUND,
    AS_FUSED,
    DISTILBERT,
    INT8_DIFFERENCE,
    OURS,
    PIPELINE,
    STUDENT,
    STUDENT_DIFFERENCE,
    draw,
    report,
)
from benchmarks.results import RESULTS, dated, keep, read_rows, say  # noqa: E402
from classifier.evaluation.figures import compare  # noqa: E402
from serving.model_config import ModelConfig  # noqa: E402
from serving.onnx_backend import MODEL_FILE, OnnxBackend  # noqa: E402
from serving.predictor import load_predictor  # noqa: E402

TRAIN = "python training_job/train.py --train train.json --test test.json --model-dir ARTIFACT"
PEAK_SIDE, PEAK_ROUNDS = 1024, 30
"""Square matrices of this side fit into the second-level cache; the best round counts: other work slows one down."""

Answer = Callable[[int], str]
"""The number of a text to the name of its label, or to nothing where only the network was asked."""


def pipeline_answers(model: Any, tokenizer: Any, texts: Sequence[str]) -> Answer:
    """Answer in the article's way: `pipeline("text-classification")` in float32."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    return lambda place: str(classify(texts[place], truncation=True)[0]["label"])


def distilbert_answers(tokenizer: Any, texts: Sequence[str]) -> Answer:
    """Answer with a model of DistilBERT's size and random weights: it takes the time of a trained one."""
    import transformers

    model: Any = transformers.DistilBertForSequenceClassification
    configuration: Any = transformers.DistilBertConfig
    return pipeline_answers(model(configuration()).eval(), tokenizer, texts)


def our_answers(artifact: Path, texts: Sequence[str]) -> Answer:
    """Answer with the predictor that both containers serve."""
    predictor = load_predictor(artifact)
    return lambda place: predictor.predict([texts[place]])[0].label


def network_alone(artifact: Path, ids: Sequence[Sequence[int]]) -> Answer:
    """Run the network of `artifact` on texts that were tokenised before; the answer is not read."""
    backend = OnnxBackend(artifact, threads=1)
    numbers = [np.array([row], dtype=np.int64) for row in ids]
    inputs = [
        {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)} for row in numbers
    ]
    given = [{name: text[name] for name in backend.features} for text in inputs]

    def run(place: int) -> str:
        backend.logits(given[place])
        return ""

    return run


def artifact_as_found(model: Any, artifact: Path, target: Path, *, fused: bool) -> Path:
    """Write a copy of `artifact` to `target` as onnxruntime's own tools make it, without our rewrites and ranges.

    `model` is the artifact's in float32, with attention written out ("eager"), which the optimizer needs. `fused`:
    whether onnxruntime's transformer optimizer fuses attention, layer norms and GELU in between.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    from classifier.onnx_export.export import Logits, quiet

    shutil.copytree(artifact, target, ignore=shutil.ignore_patterns("code", "*.safetensors", f"{MODEL_FILE.name}*"))
    names = ["input_ids", "attention_mask"]
    rows = {0: "batch", 1: "tokens"}
    ones = torch.ones((2, 8), dtype=torch.int64)
    with tempfile.TemporaryDirectory() as scratch, quiet():
        exported, ready = Path(scratch) / "model.onnx", Path(scratch) / "ready.onnx"
        torch.onnx.export(
            Logits(model).eval(),
            (ones, ones),
            str(exported),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={**dict.fromkeys(names, rows), "logits": {0: "batch"}},
            dynamo=False,
        )
        if fused:
            shape = {"num_heads": model.config.num_attention_heads, "hidden_size": model.config.hidden_size}
            optimize_model(str(exported), model_type="bert", **shape).save_model_to_file(str(ready))
        else:
            ready = exported
        # Operators of the optimizer have no shape inference: their type has to be said.
        options = {"DefaultTensorType": 1}
        quantize_dynamic(ready, target / MODEL_FILE, weight_type=QuantType.QInt8, extra_options=options)
    return target


def take_turns(variants: dict[str, Answer], texts: int, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return seconds (texts,), the least of all rounds, and labels (texts,) of each variant."""
    seconds = {name: np.full(texts, np.inf) for name in variants}
    labels = {name: [""] * texts for name in variants}
    for _ in range(rounds):
        for start in range(0, texts, 50):
            for name, answer in variants.items():
                for place in range(start, min(start + 50, texts)):
                    began = time.perf_counter()
                    labels[name][place] = answer(place)
                    seconds[name][place] = min(seconds[name][place], time.perf_counter() - began)
    return seconds, labels


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure everything; return it as it is kept."""
    import onnxruntime
    import tokenizers
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    quiet: Any = transformers.logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    rows = read_rows(arguments.test)[: arguments.texts]
    texts, labels = [row["sentence"] for row in rows], [int(row["helpful"] >= 1) for row in rows]
    tokenizer = AutoTokenizer.from_pretrained(arguments.full)
    tokenizer.model_max_length = ModelConfig.read(arguments.full).max_length
    model = AutoModelForSequenceClassification.from_pretrained(arguments.full, dtype=torch.float32).eval()
    ids = tokenizer(texts, truncation=True)["input_ids"]
    tokens = int(np.median([len(row) for row in ids]))

    with tempfile.TemporaryDirectory() as scratch:
        say("exporting the full model as onnxruntime's own tools do")
        folders = {
            AS_FOUND: artifact_as_found(model, arguments.full, Path(scratch) / "found", fused=False),
            AS_FUSED: artifact_as_found(model, arguments.full, Path(scratch) / "fused", fused=True),
            OURS: arguments.full,
        }
        if arguments.student:
            folders[STUDENT] = arguments.student
        variants = {
            DISTILBERT: distilbert_answers(tokenizer, texts),
            PIPELINE: pipeline_answers(model, tokenizer, texts),
            **{name: our_answers(folder, texts) for name, folder in folders.items()},
            **{_alone(name): network_alone(folder, ids) for name, folder in folders.items()},
        }
        say(f"{len(variants)} variants take turns over {len(texts)} texts, {arguments.rounds} rounds")
        seconds, answered = take_turns(variants, len(texts), arguments.rounds)

    say("measuring the peak")
    numbers = {name: [model.config.label2id.get(label, 0) for label in given] for name, given in answered.items()}
    figures = {name: _figures(seconds[name], seconds.get(_alone(name))) for name in (DISTILBERT, PIPELINE, *folders)}
    for name in figures.keys() - {DISTILBERT}:  # its weights are random
        figures[name]["accuracy"] = float(np.mean(np.array(numbers[name]) == labels))
    differences = {INT8_DIFFERENCE: difference(labels, numbers[PIPELINE], numbers[OURS])}
    if arguments.student:
        differences[STUDENT_DIFFERENCE] = difference(labels, numbers[OURS], numbers[STUDENT])
    versions = {module.__name__: module.__version__ for module in (onnxruntime, tokenizers, torch, transformers)}
    settings = {"texts": len(texts), "rounds": arguments.rounds, "threads": 1, "tokens": tokens}
    shapes = {name: AutoConfig.from_pretrained(folders[name]) for name in (OURS, STUDENT) if name in folders}
    whole = {name: operations(shape, tokens) for name, shape in shapes.items()}
    measured = {"peak": int8_peak(), "operations": whole, "figures": figures, "differences": differences}
    return dated(versions, settings) | measured


def operations(config: Any, tokens: int) -> int:
    """Count the operations (two for each multiplication) of the whole encoder for a text of so many tokens.

    `config`: of transformers. After the last attention only the first token's are computed; such figures count all.
    """
    width = config.hidden_size
    weights = 4 * width * width + 2 * width * config.intermediate_size
    return int(config.num_hidden_layers * 2 * tokens * (weights + 2 * tokens * width))


def int8_peak() -> float:
    """Measure this thread's operations a second (two a multiplication) in a large int8 product of torch's oneDNN."""
    import torch

    torch.backends.quantized.engine = "onednn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear: Any = torch.ao.nn.quantized.Linear
        product = linear(PEAK_SIDE, PEAK_SIDE)
        numbers = torch.quantize_per_tensor(torch.randn(PEAK_SIDE, PEAK_SIDE), 0.1, 128, torch.quint8)
    return 2 * PEAK_SIDE**3 / min(timeit.repeat(lambda: product(numbers), number=1, repeat=PEAK_ROUNDS))


def _alone(name: str) -> str:
    return f"{name}, network alone"


def _figures(seconds: Any, network: Any = None) -> dict[str, float]:
    """Return milliseconds: median and 99th percentile of an answer, and the median of the network alone."""
    middle, late = 1e3 * np.quantile(seconds, [0.5, 0.99])
    found = {"p50_ms": float(middle), "p99_ms": float(late)}
    if network is not None:
        found["network_p50_ms"] = float(1e3 * np.median(network))
    return found


def difference(labels: list[int], before: list[int], after: list[int]) -> dict[str, float]:
    """Return the difference of two accuracies on the same rows, with its paired 95 % interval."""
    return compare(labels, before, after, labels=2).accuracy.as_dict()


def main() -> int:
    """Measure, print, draw and keep."""
    arguments = _arguments()
    result = run(arguments)
    text = report(result)
    print(text)
    if arguments.keep:
        say(f"kept: {keep(arguments.results, 'inference', result, text, draw)}.json, .md, .svg")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, help="artifact folder of the full model")
    parser.add_argument("--student", type=Path, help="artifact folder of a student")
    parser.add_argument("--test", type=Path, required=True, help="JSON Lines with sentence and helpful")
    parser.add_argument("--texts", type=int, default=1000, help="how many of them (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=8, help="times each is asked (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the dated result to --results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for it (default: docs/benchmarks)")
    arguments = parser.parse_args()
    if arguments.texts < 1 or arguments.rounds < 1:
        parser.error("--texts and --rounds are at least 1")
    if not arguments.full or not (arguments.full / MODEL_FILE).is_file():
        parser.error(f"--full {arguments.full or 'is missing, and'} is no artifact; train one with: {TRAIN}")
    if arguments.student and not (arguments.student / MODEL_FILE).is_file():
        parser.error(f"--student {arguments.student} is no artifact; train one with: {TRAIN} --student-layers 3")
    if not arguments.test.is_file():
        parser.error(f"--test {arguments.test} is no file")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
