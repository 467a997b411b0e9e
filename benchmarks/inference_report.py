"""The results of `benchmarks/inference.py` as tables and a chart."""

from pathlib import Path
from typing import Any

from benchmarks.results import bars, render

DISTILBERT = "DistilBERT size, pipeline, float32"
PIPELINE = "full model, pipeline, float32"
AS_FOUND = "full model, onnxruntime as found"
AS_FUSED = "full model, onnxruntime with its optimizer"
OURS = "full model, ours"
STUDENT = "student, ours"

INT8_DIFFERENCE, STUDENT_DIFFERENCE = "int8 minus float32", "student minus full model"


def report(result: dict[str, Any]) -> str:
    """Return the result as Markdown. The share of the peak counts the whole graph."""
    return render(
        "inference_report.md.jinja",
        result,
        distilbert=DISTILBERT,
        variants=(OURS, AS_FOUND, AS_FUSED),
        student=STUDENT,
        int8=INT8_DIFFERENCE,
        student_difference=STUDENT_DIFFERENCE,
    )


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each variant's time as a bar: the network, and what is around it."""
    drawn = {name: found for name, found in result["figures"].items() if "network_p50_ms" in found}
    networks = [found["network_p50_ms"] for found in drawn.values()]
    around = [max(0.0, found["p50_ms"] - found["network_p50_ms"]) for found in drawn.values()]
    columns = {"network": networks, "tokenising, reading the answer": around}
    bars(columns, list(drawn), path, xlabel="median of one text, ms", stacked=True)
