"""What the Hugging Face inference toolkit does with an artifact: import its hooks, load the model, answer a request.

This follows sagemaker-huggingface-inference-toolkit 2.6.0 in the names and arguments of the hooks `model_fn` and
`transform_fn`, and in the content types that are passed on as text. The toolkit's other hooks are not used here.
"""

import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

_AS_TEXT = ("application/json", "text/csv")
_JSON = "application/json"
Hook = Callable[..., Any]


class UnusableArtifactError(Exception):
    """The artifact cannot be served. The message says what is missing."""


class RequestContext:
    """The part of the model server's context that hooks use."""

    def __init__(self, model_dir: Path, headers: Mapping[str, str], server: Mapping[str, str]) -> None:
        self.system_properties = {"model_dir": str(model_dir), "gpu_id": None, "batch_size": 1, **server}
        self.manifest: dict[str, Any] = {}
        self.status = 200
        self._headers = {name.lower(): value for name, value in headers.items()}

    def get_request_header(self, idx: int, key: str) -> str | None:
        """Return a header of the request; `idx` counts the requests of a batch, which has one."""
        return self._headers.get(key.lower())

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """Set the status of the answer."""
        self.status = code


class HookedModel:
    """The artifact's hooks. They run one at a time, as in a container with one worker."""

    def __init__(self, model_dir: Path, server: Mapping[str, str]) -> None:
        """Find the hooks of an artifact. Raises UnusableArtifactError.

        `server` is what the context says about the server: `server_name` and `server_version`, or nothing.
        """
        self._model_dir = model_dir
        self._server = server
        self._lock = threading.RLock()
        self._transform: Hook | None = None
        self._model: Any = None
        code = model_dir / "code"
        if not (code / "inference.py").is_file():
            raise UnusableArtifactError(
                f"There is no code/inference.py in {model_dir}. The official image would look for a pipeline; the "
                "local cloud runs an artifact's own hooks only: pack inference.py into code/."
            )
        sys.path.insert(0, str(code))

    @property
    def loaded(self) -> bool:
        """Whether `model_fn` has returned."""
        return self._transform is not None

    def load(self) -> Hook:
        """Return `transform_fn`. The first call imports the hooks and calls `model_fn`. Raises what they raise."""
        with self._lock:
            if self._transform is None:
                module = importlib.import_module("inference")
                load, transform = _hook(module, "model_fn", 1), _hook(module, "transform_fn", 4)
                self._model = load(str(self._model_dir), RequestContext(self._model_dir, {}, self._server))
                self._transform = transform
            return self._transform

    def answer(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Return status, body and content type of the answer to one request. Raises what the hooks raise."""
        context = RequestContext(self._model_dir, headers, self._server)
        content_type = context.get_request_header(0, "Content-Type") or _JSON
        accept = context.get_request_header(0, "Accept") or "*/*"
        accept = _JSON if accept == "*/*" else accept
        data = body.decode() if content_type in _AS_TEXT else bytearray(body)
        with self._lock:
            result = self.load()(self._model, data, content_type, accept, context)
        return context.status, result.encode() if isinstance(result, str) else result, accept


def _hook(module: ModuleType, name: str, count: int) -> Hook:
    """Return a hook of `count` parameters as a function that also takes the context, which it gets if it has one more.

    Raises UnusableArtifactError, TypeError.
    """
    if not hasattr(module, name):
        raise UnusableArtifactError(
            f"code/inference.py defines no {name}; the local cloud runs artifacts with model_fn and transform_fn."
        )
    hook: Hook = getattr(module, name)
    given = len(inspect.signature(hook).parameters)
    if given not in (count, count + 1):
        raise TypeError(f"{name} of code/inference.py takes {given} arguments; it is given {count} or {count + 1}")
    return lambda *arguments: hook(*arguments[:given])
