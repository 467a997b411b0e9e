"""The evaluation report: what was decided about a challenger and on what evidence, as one self-contained HTML file."""
