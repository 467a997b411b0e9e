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
    took = {name: found["p50_ms"] for name, found in result["figures"].items()}
    variants = (OURS, AS_FOUND, AS_FUSED)
    return render(
        "inference_report.md.jinja",
        result,
        distilbert=DISTILBERT,
        ours=OURS,
        student=STUDENT,
        int8=INT8_DIFFERENCE,
        student_difference=STUDENT_DIFFERENCE,
        reached=[share(result["operations"][OURS], took[name], result["peak"]) for name in variants],
        times=[took[DISTILBERT] / took[name] for name in variants],
        share=share,
        round=round,
    )


def share(operations: float, milliseconds: float, peak: float) -> float:
    """Return the part of `peak` (operations a second) at which `operations` ran in `milliseconds`."""
    return operations / (milliseconds / 1e3) / peak


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each variant's time as a bar: the network, and what is around it."""
    drawn = {name: found for name, found in result["figures"].items() if "network_p50_ms" in found}
    networks = [found["network_p50_ms"] for found in drawn.values()]
    around = [max(0.0, found["p50_ms"] - found["network_p50_ms"]) for found in drawn.values()]
    columns = {"network": networks, "tokenising, reading the answer": around}
    bars(columns, list(drawn), path, xlabel="median of one text, ms", stacked=True)
