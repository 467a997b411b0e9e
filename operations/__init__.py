"""The commands that a person runs (`python -m operations <verb>`): the same calls on AWS and on the local cloud."""

import sys

from operations import paths

sys.path += [str(paths.ROOT / "training_job"), str(paths.ROOT / "client")]
