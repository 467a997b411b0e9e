"""The loss curve."""

import xml.etree.ElementTree as ET
from typing import Any

from classifier.report.loss_curve import HEIGHT, WIDTH, loss_curve

SVG = "{http://www.w3.org/2000/svg}"
RUN: list[dict[str, Any]] = [{"step": 1, "loss": 0.8}, {"step": 2, "loss": "0.4"}, {"step": 2, "eval_loss": 0.5}]


def test_every_run_has_a_line_and_its_validation_dots() -> None:
    """Two runs of two logged steps and one evaluation each."""
    picture = ET.fromstring(loss_curve([RUN, RUN]))
    lines = [line.get("points", "").split() for line in picture.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [2, 2]
    assert len(list(picture.iter(f"{SVG}circle"))) == 2


def test_everything_is_inside_the_picture() -> None:
    """The largest loss and the last step are inside the edges."""
    (line,) = ET.fromstring(loss_curve([RUN])).iter(f"{SVG}polyline")
    points = [tuple(float(value) for value in point.split(",")) for point in line.get("points", "").split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[0][1] < points[1][1]  # a larger loss is higher up


def test_a_run_too_short_to_log_is_still_a_picture() -> None:
    """With fewer steps than logging_steps there is nothing to draw, which is not an error."""
    assert ET.fromstring(loss_curve([[]])).tag == f"{SVG}svg"
