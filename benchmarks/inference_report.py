"""The results of `benchmarks/inference.py` as tables and a chart."""

from pathlib import Path
from typing import Any

from benchmarks.floors import WITHOUT_AMX
from benchmarks.results import render

DISTILBERT = "DistilBERT size, pipeline, float32"
PIPELINE = "full model, pipeline, float32"
AS_FOUND = "full model, onnxruntime as found"
AS_FUSED = "full model, onnxruntime with its optimizer"
OURS = "full model, ours"
STUDENT = "student, ours"

GOALS = {
    "peak_share": 0.30,  # smallest share of the int8 peak for the full model; set on a processor without AMX
    "pipeline_share": 1 / 25,  # largest share of the time of a DistilBERT-sized pipeline for the full model
    "int8_price": -0.010,  # smallest lower end of the interval of accuracy in int8 minus accuracy in float32
    "student_share": 0.5,  # largest share of the full model's time for the student
    "student_price": -0.012,  # smallest difference in accuracy for the student
}
INT8_DIFFERENCE, STUDENT_DIFFERENCE = "int8 minus float32", "student minus full model"


def report(result: dict[str, Any]) -> str:
    """Return the result as Markdown. The share of the peak counts the whole graph, since it was set where no AMX is."""
    took = {name: found["p50_ms"] for name, found in result["figures"].items()}
    whole, peak, variants = result["work"][OURS]["whole"], result["peaks"][WITHOUT_AMX], (OURS, AS_FOUND, AS_FUSED)
    return render(
        "inference_report.md.jinja",
        result,
        distilbert=DISTILBERT,
        ours=OURS,
        student=STUDENT,
        without_amx=WITHOUT_AMX,
        int8=INT8_DIFFERENCE,
        student_difference=STUDENT_DIFFERENCE,
        goals=GOALS,
        reached=[share(whole, took[name], peak) for name in variants],
        times=[took[DISTILBERT] / took[name] for name in variants],
        share=share,
        round=round,
    )


def share(operations: float, milliseconds: float, peak: float) -> float:
    """Return the part of `peak` (operations a second) at which `operations` ran in `milliseconds`."""
    return operations / (milliseconds / 1e3) / peak


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each variant's time as a bar (network, and what is around it) and the full model's floors as lines."""
    from matplotlib.figure import Figure

    figures, floor = result["figures"], result["floors"][OURS]
    drawn = {name: found for name, found in figures.items() if "network_p50_ms" in found}
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes = figure.subplots()
    networks = [found["network_p50_ms"] for found in drawn.values()]
    around = [max(0.0, found["p50_ms"] - found["network_p50_ms"]) for found in drawn.values()]
    axes.barh(list(drawn), networks, label="network")
    axes.barh(list(drawn), around, left=networks, label="tokenising, reading the answer")
    lines = {f"arithmetic, {name}": found for name, found in floor["arithmetic"].items()} | {"memory": floor["memory"]}
    for style, (name, found) in zip((":", "--", "-."), lines.items(), strict=False):
        axes.axvline(found, color="black", linestyle=style, label=f"floor of the full model: {name}")
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("median of one text, ms")
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})
