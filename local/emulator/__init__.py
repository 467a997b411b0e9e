"""Everything that touches ministack's internals.

ministack has no plug-in interface, so this package requires its exact version (`common/environment.py`). `plugin.py`
lists every change in order; `local.server` starts the result.
"""
