"""Where things lie inside the project's folder. Nothing is written anywhere else."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = Path(os.environ.get("LOCAL_DIR", ROOT / ".local")).resolve()

CLOUD_STATE = LOCAL / "cloud"
CREDENTIALS = CLOUD_STATE / "credentials.json"
IMAGES = LOCAL / "images.json"
LOGS = LOCAL / "logs"
STATUS = LOCAL / "status.json"
SERVER_PID = LOCAL / "server.pid"
SERVER_LOG = LOGS / "server.log"
HOME = LOCAL / "home"
SCRATCH = LOCAL / "tmp"
CDK_OUT = LOCAL / "cdk.out"

PYTHON = Path(os.environ.get("PROJECT_PYTHON", ROOT / ".venv" / "bin" / "python"))
CLOUD_PYTHON = Path(os.environ.get("LOCAL_CLOUD_PYTHON", ROOT / ".venv-cloud" / "bin" / "python"))
CDK = PYTHON.parent / "cdk"  # tools/setup.py puts it and node there
