"""Artifacts for the image `tiny-serving` of tests/integration: a model server of a few lines in `code/serve.py`."""

from __future__ import annotations

import io
import tarfile

_SERVER = """
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer(b"")
    def do_POST(self): self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))
    def answer(self, asked):
        body = {answer}
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
time.sleep(float(os.environ.get("START_SECONDS", "0")))
address = (os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


def packed(name: str, text: str) -> bytes:
    """A `.tar.gz` with one file."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return archive.getvalue()


def artifact(answer: str = 'os.environ["MODEL_VERSION"].encode()') -> bytes:
    """An artifact whose server comes up after START_SECONDS and answers its version, or what `answer` makes of `asked`.

    Args:
        answer: a Python expression of bytes; `asked` is the request's body, empty for /ping.
    """
    return packed("code/serve.py", _SERVER.format(answer=answer))
