"""What a CreateTransformJob request may ask for here, beyond what the service model says, and its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker.common.errors import ValidationException

_MAX_TOTAL_MB = 100
_DEFAULT_PAYLOAD_MB = 6


def check(params: Mapping[str, Any]) -> None:
    """Refuse what AWS would refuse, and features that are not to be had here. Raises ValidationException."""
    source, output = params["TransformInput"], params["TransformOutput"]
    data, split_type = source["DataSource"]["S3DataSource"], source.get("SplitType", "None")
    if data["S3DataType"] != "S3Prefix":
        _unsupported(f"S3DataType {data['S3DataType']}; use S3Prefix")
    for member, uri in (("S3Uri", data["S3Uri"]), ("S3OutputPath", output["S3OutputPath"])):
        if not uri.startswith("s3://"):
            _unsupported(f"{member} {uri}; use s3://bucket/prefix")
    if split_type not in ("None", "Line"):
        _unsupported(f"SplitType {split_type}; use Line or None")
    if split_type == "Line" and params.get("BatchStrategy") != "SingleRecord":
        _unsupported("BatchStrategy MultiRecord, the default where SplitType is Line; set it to SingleRecord")
    if source.get("CompressionType") == "Gzip":
        _unsupported("CompressionType Gzip; store the input uncompressed")
    for member in ("DataProcessing", "DataCaptureConfig"):
        if params.get(member):
            _unsupported(member)
    if params.get("ModelClientConfig", {}).get("InvocationsMaxRetries"):
        _unsupported("InvocationsMaxRetries above 0: a record that fails is sent once")
    _check_limits(params)


def transforms_at_a_time(job: Mapping[str, Any]) -> int:
    """How many records are sent at a time; 1 where the job does not say (0 asks AWS to choose)."""
    return job.get("MaxConcurrentTransforms") or 1


def payload_mb(job: Mapping[str, Any]) -> int:
    """Largest record, in MB."""
    return job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB)


def variables(job: Mapping[str, Any]) -> dict[str, str]:
    """What tells a container that it works for a transform job."""
    return {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(transforms_at_a_time(job)),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload_mb(job)),
    }


def _check_limits(params: Mapping[str, Any]) -> None:
    if params.get("MaxPayloadInMB") == 0:
        _unsupported("MaxPayloadInMB 0 (payloads of any size, sent in chunks); set 1 to 100")
    payload, transforms = payload_mb(params), transforms_at_a_time(params)
    if payload * transforms > _MAX_TOTAL_MB:
        raise ValidationException(
            f"MaxConcurrentTransforms ({transforms}) * MaxPayloadInMB ({payload}) must not exceed {_MAX_TOTAL_MB} MB."
        )


def _unsupported(what: str) -> None:
    raise ValidationException(f"The local cloud does not support this in a transform job: {what}.")
