"""The results of a run: evaluation file, log lines, output folder."""
