"""Answer GET /ping and POST /invocations; refuse everything else as JSON."""

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from serving import formats
from serving.answer import Answer, answered, error_answer, model_failure, refused
from serving.errors import RequestError
from serving.predictor import Prediction, Predictor
from serving.request import Inputs
from serving.server.batcher import Batcher, predicted
from serving.server.connection import Request, busy
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

ROUTES = {"/ping": "GET", "/invocations": "POST"}
PARSED_INLINE_BYTES = 16 * 1024
"""For larger bodies a worker parses the request and writes the answer, so that connections and /ping do not wait."""

Reply = Callable[[Answer], None]


class InferenceApp:
    """Answers requests with one predictor."""

    def __init__(self, predictor: Predictor, settings: ServerSettings) -> None:
        self._settings = settings
        self._labels = len(predictor.config.labels)
        self._workers = ThreadPoolExecutor(settings.workers, thread_name_prefix="worker")
        self._batcher = Batcher(predictor, self._workers, settings.workers)
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def refusal(self, request: Request) -> Answer | None:
        """Return the answer to a request whose head is unacceptable; None if its body shall be read."""
        allowed = ROUTES.get(request.path)
        if allowed is None:
            return error_answer(404, "not_found", f"no such path: there are {' and '.join(ROUTES)}")
        if request.method != allowed:
            message = f"{request.path} takes {allowed} only"
            return error_answer(405, "method_not_allowed", message, {"allow": allowed})
        if request.path == "/ping":
            return None if request.complete else error_answer(413, "payload_too_large", "a ping has no body")
        if "transfer-encoding" in request.headers or "content-length" not in request.headers:
            return error_answer(411, "length_required", "send the body with a Content-Length, not chunked")
        if "upgrade" in request.headers:  # the parser stops there, without the body
            message = "this server speaks HTTP/1.1 only: send the request without Upgrade"
            return error_answer(400, "bad_request", message)
        if request.length > self._settings.max_body_bytes:
            message = f"the body may have {self._settings.max_body_bytes} bytes at most"
            return error_answer(413, "payload_too_large", message)
        try:
            _types(request)
        except RequestError as error:
            return refused(error)
        return None

    def answer(self, request: Request, reply: Reply) -> None:
        """Call `reply` once, now or later, in the event loop."""
        if request.path == "/ping":
            reply(Answer(200, b'{"status":"ok"}'))
            return
        if self._running >= self._settings.workers + self._settings.queue:
            reply(busy())
            return
        self._running += 1

        def finish(answer: Answer) -> None:
            self._running -= 1
            reply(answer)

        if len(request.body) > PARSED_INLINE_BYTES:
            task = asyncio.get_running_loop().create_task(self._answer_large(request, finish))
            self._tasks.add(task)  # the loop keeps only a weak reference
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer_small(request, finish)

    def _answer_small(self, request: Request, finish: Reply) -> None:
        """Answer without a task, which would cost as much as everything else here."""
        try:
            inputs = self._inputs(request)
        except RequestError as error:
            finish(refused(error))
            return
        self._batcher.submit(inputs, lambda predictions: finish(self._written(request, inputs, predictions)))

    async def _answer_large(self, request: Request, finish: Reply) -> None:
        run = asyncio.get_running_loop().run_in_executor
        try:
            inputs = await run(self._workers, self._inputs, request)
            predictions = await predicted(self._batcher, inputs)
            answer = await run(self._workers, self._written, request, inputs, predictions)
        except RequestError as error:
            answer = refused(error)
        except MemoryError:
            logger.exception("no memory left for a request")
            answer = busy()
        finish(answer)

    def _inputs(self, request: Request) -> Inputs:
        return formats.read_inputs(_types(request)[0], request.body)

    def _written(self, request: Request, inputs: Inputs, predictions: Sequence[Prediction] | None) -> Answer:
        if predictions is None:
            return model_failure()
        version = self._settings.model_version
        return answered(_types(request)[1], inputs, predictions, labels=self._labels, version=version)


def _types(request: Request) -> tuple[str, str]:
    """Return the content type of the request's body and of its answer."""
    return _negotiated(request.headers.get("content-type"), request.headers.get("accept"))


@functools.lru_cache(maxsize=8)
def _negotiated(content_type: str | None, accept: str | None) -> tuple[str, str]:
    read = formats.request_type(content_type)
    return read, formats.answer_type(accept, read)
