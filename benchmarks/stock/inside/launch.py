"""Start the toolkit as the image's entry point does, with three differences that let it run beside other programs.

Its configuration file goes where `STOCK_CONFIG` says instead of to `/etc`, it listens on 127.0.0.1 instead of on every
interface, and of the machine's processes it looks at those of its own group only. `STOCK_HANDLER` names the handler
module.
"""

import os
from pathlib import Path
from typing import Any

import psutil
from sagemaker_huggingface_inference_toolkit import mms_model_server
from sagemaker_inference import model_server

CONFIG = os.environ["STOCK_CONFIG"]


def write_config(env: Any, handler_service: Any = None) -> None:
    """Write the toolkit's own configuration, bound to the loopback interface."""
    text = model_server._generate_mms_config_properties(env, handler_service)
    Path(CONFIG).write_text(text.replace("http://0.0.0.0:", "http://127.0.0.1:"))


def find_server() -> psutil.Process:
    """Return the Java process of this group (no child: what started it is gone); called until it is there."""
    for process in psutil.process_iter(["cmdline"]):
        if model_server.MMS_NAMESPACE in (process.info["cmdline"] or []) and os.getpgid(process.pid) == os.getpgrp():
            return process
    raise LookupError("the model server has not started yet")


if __name__ == "__main__":
    mms_model_server.MMS_CONFIG_FILE = CONFIG
    mms_model_server._create_model_server_config_file = write_config
    model_server._retrieve_mms_server_process = find_server
    mms_model_server.start_model_server(handler_service=os.environ["STOCK_HANDLER"])
