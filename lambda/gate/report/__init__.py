"""The evaluation report: what was decided about a challenger and on what evidence, as one self-contained HTML file.

The gate fills ``data.ReportData`` in and calls ``render_report``.
"""

from gate.report.page import render_report

__all__ = ["render_report"]
