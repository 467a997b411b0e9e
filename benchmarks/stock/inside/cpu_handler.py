"""The toolkit's handler where torch is not installed: it asks torch one thing only, whether there is a GPU."""

from sagemaker_huggingface_inference_toolkit.handler_service import HuggingFaceHandlerService


class CpuHandler(HuggingFaceHandlerService):  # type: ignore[misc] # installed in the stack's own environment
    """Answers that question itself; everything else is the toolkit's."""

    def get_device(self) -> int:
        """Return -1, the toolkit's number for the CPU."""
        return -1
