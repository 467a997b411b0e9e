"""The results of `benchmarks/inference.py` as tables and a chart."""

from pathlib import Path
from typing import Any

from benchmarks.floors import WITHOUT_AMX
from benchmarks.results import heading, table, verdict

DISTILBERT = "DistilBERT size, pipeline, float32"
PIPELINE = "full model, pipeline, float32"
AS_FOUND = "full model, onnxruntime as found"
AS_FUSED = "full model, onnxruntime with its optimizer"
OURS = "full model, ours"
STUDENT = "student, ours"

PEAK_SHARE = 0.30
"""Smallest share of the int8 peak that the full model should reach; set on a processor without AMX."""

PIPELINE_SHARE = 1 / 25
"""Largest share of the time of a DistilBERT-sized pipeline that the full model should take."""

INT8_PRICE = -0.010
"""Smallest allowed lower end of the interval of accuracy in int8 minus accuracy in float32."""

STUDENT_SHARE, STUDENT_PRICE = 0.5, -0.012
"""Largest share of the full model's time for the student, and the smallest allowed difference in accuracy."""

INT8_DIFFERENCE, STUDENT_DIFFERENCE = "int8 minus float32", "student minus full model"


def report(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    settings = result["settings"]
    lines = heading("Inference in one process", result, "one thread")
    lines[-1] += (
        f" {settings['texts']} texts, median {settings['tokens']} tokens, one at a time, the best of "
        f"{settings['rounds']} rounds for each."
    )
    for part in (_times, _floors, _shares, _goals):
        lines += ["", *part(result)]
    lines.append("")
    for title, found in result["differences"].items():
        lines.append(f"- accuracy, {title}: {found['value']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})")
    return "\n".join(lines) + "\n"


def share(operations: float, milliseconds: float, peak: float) -> float:
    """Return the part of `peak` (operations a second) at which `operations` ran in `milliseconds`."""
    return operations / (milliseconds / 1e3) / peak


def _times(result: dict[str, Any]) -> list[str]:
    figures = result["figures"]
    head = ["variant", "answer, p50 ms", "answer, p99 ms", "network alone, p50 ms", "of the first", "accuracy"]
    rows = [
        [
            name,
            f"{found['p50_ms']:.3f}",
            f"{found['p99_ms']:.3f}",
            f"{found['network_p50_ms']:.3f}" if "network_p50_ms" in found else "–",
            f"1/{figures[DISTILBERT]['p50_ms'] / found['p50_ms']:.1f}",
            f"{found['accuracy']:.4f}" if "accuracy" in found else "untrained",
        ]
        for name, found in figures.items()
    ]
    return table(head, rows)


def _floors(result: dict[str, Any]) -> list[str]:
    """Say what was measured of the core, what each network asks of it, and the shortest times that follow."""
    lines = [
        f"- int8 peak, {name}: {peak / 1e9:.0f} GOPS (product of oneDNN, matrices of 1024)"
        for name, peak in result["peaks"].items()
    ]
    for name, todo in result["work"].items():
        lines.append(
            f"- {name}: {todo['whole'] / 1e9:.3f} GOP over the whole graph, {todo['executed'] / 1e9:.3f} executed "
            f"(after the last attention only the first token); {todo['weight_bytes'] / 1e6:.2f} MB of weights, and "
            f"a buffer as large is read at {result['bandwidth'][name] / 1e9:.1f} GB/s (dot product of its halves)"
        )
    floors = result["floors"].values()
    rows = [
        [f"arithmetic, {peak}: operations executed", *(f"{found['arithmetic'][peak]:.3f}" for found in floors)]
        for peak in result["peaks"]
    ]
    rows.append(["memory: weights read once", *(f"{found['memory']:.3f}" for found in floors)])
    longer = "roofline: the longer of the fastest arithmetic and memory"
    rows.append([longer, *(f"{found['roofline']:.3f}" for found in floors)])
    return [*lines, "", *table(["floor for one text, ms", *result["floors"]], rows)]


def _shares(result: dict[str, Any]) -> list[str]:
    """Say how near each network comes to peaks and floors."""
    peaks = result["peaks"]
    head = ["share reached", *(f"of the int8 peak {name}, whole graph (executed)" for name in peaks)]
    rows = []
    for name, found in result["figures"].items():
        if "network_p50_ms" not in found:
            continue
        kind = STUDENT if name == STUDENT else OURS
        todo, floor = result["work"][kind], result["floors"][kind]
        for title, took in ((f"{name}, network alone", found["network_p50_ms"]), (name, found["p50_ms"])):
            cells = [
                f"{share(todo['whole'], took, peak):.1%} ({share(todo['executed'], took, peak):.1%})"
                for peak in peaks.values()
            ]
            rows.append([title, *cells, f"{floor['memory'] / took:.1%}", f"{floor['roofline'] / took:.1%}"])
    return table([*head, "of the memory floor", "of the roofline"], rows)


def _goals(result: dict[str, Any]) -> list[str]:
    """Compare with the goals; the share of the peak counts the whole graph, since it was set where no AMX is."""
    figures, differences, asked_of = result["figures"], result["differences"], result["work"][OURS]
    took = {name: found["p50_ms"] for name, found in figures.items()}
    variants, none = (OURS, AS_FOUND, AS_FUSED), ["–", "–"]
    peak = result["peaks"][WITHOUT_AMX]
    reached = [share(asked_of["whole"], took[name], peak) for name in variants]
    times = [took[DISTILBERT] / took[name] for name in variants]
    int8 = differences[INT8_DIFFERENCE]["low"]
    title = f"answer of the full model, share of the int8 peak {WITHOUT_AMX}, whole graph"
    found = [f"{one:.1%}" for one in reached]
    rows = [[title, f"≥ {PEAK_SHARE:.0%}", *found, verdict(reached[0] >= PEAK_SHARE)]]
    title = "answer of the full model, of the time of DistilBERT's size in a pipeline"
    found = [f"1/{one:.1f}" for one in times]
    rows.append([title, f"≤ 1/{1 / PIPELINE_SHARE:.0f}", *found, verdict(times[0] >= 1 / PIPELINE_SHARE)])
    title = f"accuracy, {INT8_DIFFERENCE}, lower end of the interval"
    rows.append([title, f"≥ {INT8_PRICE:+.3f}", f"{int8:+.4f}", *none, verdict(round(int8, 4) >= INT8_PRICE)])
    if STUDENT in figures:
        part, lost = took[STUDENT] / took[OURS], differences[STUDENT_DIFFERENCE]["value"]
        title = "answer of the student, of the full model's time"
        rows.append([title, f"≤ {STUDENT_SHARE}", f"{part:.3f}", *none, verdict(part <= STUDENT_SHARE)])
        title, held = f"accuracy, {STUDENT_DIFFERENCE}", round(lost, 4) >= STUDENT_PRICE
        rows.append([title, f"≥ {STUDENT_PRICE:+.3f}", f"{lost:+.4f}", *none, verdict(held)])
    return table(["goal", "asked", "found", "onnxruntime as found", "with its optimizer", ""], rows)


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
