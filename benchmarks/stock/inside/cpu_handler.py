"""The toolkit's handler where torch is not installed: it asks torch one thing only, whether there is a GPU."""

from sagemaker_huggingface_inference_toolkit.handler_service import HuggingFaceHandlerService


class CpuHandler(HuggingFaceHandlerService):
    """Answers that question itself; everything else is the toolkit's."""

    def get_device(self):
        """-1, the toolkit's number for the CPU."""
        return -1
