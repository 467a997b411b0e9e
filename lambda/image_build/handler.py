"""Entry point: builds the image on `Create` and `Update`. On `Delete` it does nothing: the repository decides."""

from collections.abc import Callable
from typing import Any

from image_build.build import ImageRequest, ensure_image
from shared import custom_resource


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer one request of CloudFormation."""
    import boto3

    clients = {service: boto3.client(service) for service in ("codebuild", "ecr")}

    def build(request: ImageRequest) -> str:
        return ensure_image(request, **clients, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)

    respond(event, context.log_stream_name, build)


def respond(
    event: dict[str, Any],
    log_stream: str,
    build: Callable[[ImageRequest], str],
    put: Callable[[str, bytes], None] = custom_resource.send,
) -> None:
    """Do the work and report to CloudFormation. `build` makes sure that the image exists, and says what it did."""

    def work() -> str:
        wanted = event["ResourceProperties"]
        request = ImageRequest(
            project=wanted["Project"], repository=wanted["Repository"], tag=wanted["Tag"], token=event["RequestId"]
        )
        return "" if event["RequestType"] == "Delete" else build(request)

    # One identity for every tag: an image is never deleted because another one was built.
    custom_resource.respond(event, log_stream, work, physical_id="serving-image", failure="no serving image", put=put)
