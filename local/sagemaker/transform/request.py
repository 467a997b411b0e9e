"""The members of a CreateTransformJob request: their defaults, their effect on records, and what is refused."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.sagemaker.common.errors import UnsupportedError

_DEFAULT_PAYLOAD_MB, _MAX_PAYLOAD_MB = 6, 100
_MAX_INSTANCES = 4  # processes that share the processors of one machine


def check(params: Mapping[str, Any]) -> None:
    """Refuse what AWS refuses, and what the local cloud does not support. Raises InvalidRequestError."""
    for problem in _unsupported(params):
        raise UnsupportedError(f"this in a transform job: {problem}")


def payload_mb(job: Mapping[str, Any]) -> int:
    """Return the size limit of a record in MB."""
    return int(job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB))


def variables(job: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables by which a container knows that it works for a transform job."""
    return {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload_mb(job)),
    }


def split(content: bytes, split_type: str) -> list[bytes]:
    """Return the records of an object: with `Line` its lines without their endings, else the whole; none if empty."""
    if not content:
        return []
    if split_type != "Line":
        return [content]
    lines = content.removesuffix(b"\n").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines]


def assemble(answers: Iterable[bytes], assemble_with: str) -> bytes:
    """Join the answers; with `Line` a newline follows each, with `None` nothing."""
    ending = b"\n" if assemble_with == "Line" else b""
    return b"".join(answer + ending for answer in answers)


def _unsupported(params: Mapping[str, Any]) -> Iterator[str]:
    source, output = params["TransformInput"], params["TransformOutput"]
    data, split_type = source["DataSource"]["S3DataSource"], source.get("SplitType", "None")
    if data["S3DataType"] != "S3Prefix":
        yield f"S3DataType {data['S3DataType']}; use S3Prefix"
    for member, uri in (("S3Uri", data["S3Uri"]), ("S3OutputPath", output["S3OutputPath"])):
        if not uri.startswith("s3://"):
            yield f"{member} {uri}; use s3://bucket/prefix"
    if split_type not in ("None", "Line"):
        yield f"SplitType {split_type}; use Line or None"
    if split_type == "Line" and params.get("BatchStrategy") != "SingleRecord":
        yield "BatchStrategy MultiRecord, the default where SplitType is Line; set it to SingleRecord"
    if source.get("CompressionType") == "Gzip":
        yield "CompressionType Gzip; store the input uncompressed"
    yield from (member for member in ("DataProcessing", "DataCaptureConfig") if params.get(member))
    if params.get("ModelClientConfig", {}).get("InvocationsMaxRetries"):
        yield "InvocationsMaxRetries above 0: a record that fails is sent once"
    yield from _beyond_this_machine(params)


def _beyond_this_machine(params: Mapping[str, Any]) -> Iterator[str]:
    if (count := params["TransformResources"]["InstanceCount"]) > _MAX_INSTANCES:
        yield f"InstanceCount {count}: its instances are processes of one machine, at most {_MAX_INSTANCES}"
    if (params.get("MaxConcurrentTransforms") or 1) > 1:
        yield "MaxConcurrentTransforms above 1: records are sent one after the other"
    if not 1 <= payload_mb(params) <= _MAX_PAYLOAD_MB:  # 0: of any size, sent in chunks
        yield f"MaxPayloadInMB {payload_mb(params)}; set 1 to {_MAX_PAYLOAD_MB}"
