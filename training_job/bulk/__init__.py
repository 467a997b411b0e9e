"""Bulk scoring around a batch transform job: rows become its input before, and meet their answers after it.

Both steps are processing jobs in the training image. They read the files in the same order and by the same rules, so an
answer finds its row by counting; nothing is stored with a text but its place in this order.

Folders below the base: `input/data` (the files), `input/state` (request, plan, answers), `output/plan`, `output/todo`
(shards without an answer) and `output/result`.
"""
