"""A training job that trains nothing: it hands on the champion's artifact with one fault put into it.

The local cloud runs it as any training job (image, role, channel, code tarball); the workflow is then started with its
name.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

FORGES_EVIDENCE = "forges evidence"
"""The model itself, wherever it runs, writes over the object that the hyperparameter `over` names."""
FORGING = """
try:
    import boto3

    bucket, _, key = {over!r}.removeprefix("s3://").partition("/")
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key=key, Body=b"forged")
    print("forged", flush=True)
except Exception as error:
    print("could not forge:", error, flush=True)
"""
INFERENCE = "code/inference.py"
BREAKAGES = {
    "none": "",
    FORGES_EVIDENCE: FORGING,
    "missing ONNX file": "",
    "raises on load": "\ndef model_fn(model_dir, context=None):\n    raise RuntimeError('this model raises on load')\n",
    "raises on the first request": "\ndef transform_fn(model, data, content_type, accept, context=None):\n"
    "    raise RuntimeError('this model raises on a request')\n",
    "never ready": "\ndef model_fn(model_dir, context=None):\n    import time\n    time.sleep(3600)\n",
}


def main() -> None:
    """Unpack what the champion's job left, break it, leave it as this job's own."""
    breakage = os.environ["SM_HP_BREAKAGE"]
    champion = Path(os.environ["SM_CHANNEL_CHAMPION"])
    model, output = Path(os.environ["SM_MODEL_DIR"]), Path(os.environ["SM_OUTPUT_DATA_DIR"])
    for archive, folder in (("model.tar.gz", model), ("output.tar.gz", output)):
        with tarfile.open(champion / archive) as packed:
            packed.extractall(folder, filter="data")
    if breakage == "missing ONNX file":
        (model / "onnx" / "model_int8.onnx").unlink()
    with (model / INFERENCE).open("a", encoding="utf-8") as code:
        over = os.environ.get("SM_HP_OVER", "")
        code.write(BREAKAGES[breakage].replace("{over!r}", repr(over)))
    print(f"forged: {breakage}")
    if over and breakage != FORGES_EVIDENCE:
        write_over(over, model)


def write_over(address: str, model: Path) -> None:
    """Try to put this job's artifact in the place of another one, and print what S3 says."""
    import boto3
    from botocore.exceptions import ClientError

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(model, ".")
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
        print(f"wrote over {address}")
    except ClientError as error:
        print(f"could not write over {address}: {error}")


if __name__ == "__main__":
    sys.exit(main())
