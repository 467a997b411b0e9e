"""Bulk scoring: the processing jobs before and after a batch transform job.

Both read the files by the same rules, so an answer finds its row by counting. Folders below a job's base: `input/data`
(files), `input/state` (request, plan, answers), `output/plan`, `output/todo` (what has no answer), `output/result`.
"""
