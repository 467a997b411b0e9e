"""Everything that touches ministack's internals.

ministack has no plugin interface, so its exact version is required (`version.py`) and what is replaced in it stays in
this package, one concern a module. `plugin.install` puts the pieces together; `local.server` runs the result.
"""
