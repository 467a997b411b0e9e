"""Measures answers in this process, one text at a time on one thread: ours against the article's own choice.

    python benchmarks/inference.py --full ARTIFACT --student ARTIFACT --test test.json

The artifacts are folders that the training job made (`python training_job/train.py …`, the student's with
`--student-layers 3`). Prints the machine, the versions, the times, the share of the measured int8 peak, and accuracies
with paired intervals. The variants take turns, so that other load on the machine meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "training_job"))

from classifier.bootstrap import Joint, difference_intervals  # noqa: E402
from serving.predictor import load_predictor  # noqa: E402

Answer = Callable[[str], str]
"""A text to the name of its label."""

PEAK_SIDE = 1024
"""Side of the square matrices whose int8 product measures the peak: they fit into the second-level cache."""


def pipeline_answers(model: Any, tokenizer: Any) -> Answer:
    """The article's way: `pipeline("text-classification")` in float32."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    return lambda text: str(classify(text, truncation=True)[0]["label"])


def distilbert_answers(tokenizer: Any) -> Answer:
    """A model of DistilBERT's size with random weights: its time is that of a trained one."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    return pipeline_answers(DistilBertForSequenceClassification(DistilBertConfig()).eval(), tokenizer)


def our_answers(artifact: Path) -> Answer:
    """The predictor that both containers serve."""
    predictor = load_predictor(artifact)
    return lambda text: predictor.predict([text])[0].label


def take_turns(variants: dict[str, Answer], texts: list[str], rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Seconds (texts,), the least of all rounds, and labels (texts,) of each variant."""
    seconds = {name: np.full(len(texts), np.inf) for name in variants}
    labels = {name: [""] * len(texts) for name in variants}
    for _ in range(rounds):
        for start in range(0, len(texts), 50):
            for name, answer in variants.items():
                for place in range(start, min(start + 50, len(texts))):
                    began = time.perf_counter()
                    labels[name][place] = answer(texts[place])
                    seconds[name][place] = min(seconds[name][place], time.perf_counter() - began)
    return seconds, labels


def int8_peak() -> float:
    """Operations a second (two for each multiplication) of one thread in a large int8 product of torch's oneDNN.

    Run with ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI for the peak without AMX.
    """
    import torch

    torch.backends.quantized.engine = "onednn"
    product = torch.ao.nn.quantized.Linear(PEAK_SIDE, PEAK_SIDE)
    numbers = torch.quantize_per_tensor(torch.randn(PEAK_SIDE, PEAK_SIDE), 0.1, 128, torch.quint8)
    best = np.inf
    for _ in range(30):
        began = time.perf_counter()
        product(numbers)
        best = min(best, time.perf_counter() - began)
    return 2 * PEAK_SIDE**3 / best


def operations(config: Any, tokens: int) -> float:
    """Operations of the whole encoder for one text, two for each multiplication: with weights, and in attention."""
    width, inner = config.hidden_size, config.intermediate_size
    weights = 4 * width * width + 2 * width * inner
    return float(config.num_hidden_layers * 2 * tokens * (weights + 2 * tokens * width))


def accuracy_line(name: str, labels: list[int], before: list[int], after: list[int]) -> str:
    """The difference of two accuracies on the same rows, with its paired 95 % interval."""
    found = difference_intervals(Joint.of(labels, before, after), resamples=9_999, seed=42)["accuracy"]
    return f"{name}: {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, required=True, help="artifact folder of the full model")
    parser.add_argument("--student", type=Path, help="artifact folder of a student")
    parser.add_argument("--test", type=Path, required=True, help="JSON Lines with sentence and helpful")
    parser.add_argument("--texts", type=int, default=1000, help="how many of them (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="times each is asked (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.texts < 1 or arguments.rounds < 1:
        parser.error("--texts and --rounds are at least 1")

    import onnxruntime
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    rows = [json.loads(line) for line in arguments.test.open(encoding="utf-8")][: arguments.texts]
    texts, labels = [row["sentence"] for row in rows], [int(row["helpful"] >= 1) for row in rows]
    tokenizer = AutoTokenizer.from_pretrained(arguments.full)
    tokenizer.model_max_length = json.loads((arguments.full / "config.json").read_text())["max_length"]
    config = AutoConfig.from_pretrained(arguments.full)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.full, dtype=torch.float32)
    variants = {
        "DistilBERT size, pipeline, float32": distilbert_answers(tokenizer),
        "full model, pipeline, float32": pipeline_answers(model, tokenizer),
        "full model, ours": our_answers(arguments.full),
    }
    if arguments.student:
        variants["student, ours"] = our_answers(arguments.student)
    seconds, answered = take_turns(variants, texts, arguments.rounds)
    numbers = {name: [config.label2id.get(label, 0) for label in given] for name, given in answered.items()}

    print(f"{platform.platform()}, {platform.processor() or platform.machine()}, one thread; Python "
          f"{platform.python_version()}, onnxruntime {onnxruntime.__version__}, torch {torch.__version__}, "
          f"transformers {transformers.__version__}; {len(texts)} texts\n")  # fmt: skip
    print("| variant | p50 ms | p99 ms | of the first | accuracy |\n|---|---|---|---|---|")
    first = float(np.median(next(iter(seconds.values()))))
    for place, (name, taken) in enumerate(seconds.items()):
        right = f"{np.mean(np.array(numbers[name]) == labels):.4f}" if place else "untrained"
        middle, late = np.quantile(taken, [0.5, 0.99])
        print(f"| {name} | {1e3 * middle:.2f} | {1e3 * late:.2f} | 1/{first / middle:.1f} | {right} |")
    ours = float(np.median(seconds["full model, ours"]))
    tokens = int(np.median([len(ids) for ids in tokenizer(texts, truncation=True)["input_ids"]]))
    peak, wanted = int8_peak(), operations(config, tokens)
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "none")
    share = wanted / ours / peak
    print(f"\nint8 peak (oneDNN, instruction limit: {limit}): {peak / 1e9:.0f} GOPS")
    print(f"the full model runs at {share:.1%} of it")
    print(f"({wanted / 1e9:.3f} GFLOP at {tokens} tokens, counted over the whole graph)")
    full, plain = numbers["full model, ours"], numbers["full model, pipeline, float32"]
    print(accuracy_line("accuracy, int8 minus float32", labels, plain, full))
    if arguments.student:
        student = numbers["student, ours"]
        print(f"student: {np.median(seconds['student, ours']) / ours:.2f} of the full model's time")
        print(accuracy_line("accuracy, student minus full model", labels, full, student))


if __name__ == "__main__":
    main()
