"""Log one JSON object a line, so that any log service can filter by field."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Time, level, message, the record's `facts` (a dict given through `extra`) and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without line breaks."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str = "INFO") -> None:
    """Send our log and asyncio's warnings to standard output as JSON lines; may be called again."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    for name, lowest in (("serving", level), ("asyncio", "WARNING")):
        logger = logging.getLogger(name)
        logger.setLevel(lowest)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(handler)
