"""Run one verb: `python -m operations <verb>`."""

import contextlib
import os
import sys
from collections.abc import Sequence

FAILED, INTERRUPTED = 1, 130


def main(words: Sequence[str]) -> int:
    """Run the verb that `words` name and return its exit code; 1 with what failed and the next step, 130 on Ctrl-C."""
    interrupted = ""
    try:
        # Imported here, because that takes a second, in which Ctrl-C may come.
        from operations import command_line, paths
        from operations.console import Answer, Waiting, say
        from operations.errors import OperationError

        # Node, jsii and torch leave caches in the scratch folder; they stay in the project's own.
        paths.SCRATCH.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(paths.SCRATCH)
        arguments = command_line.parse(words)
        interrupted = arguments.interrupted
        try:
            # What is not the result goes to standard error, a library's own output too.
            result_alone = contextlib.redirect_stdout(sys.stderr) if arguments.json else contextlib.nullcontext()
            with Waiting(arguments.verb), result_alone:
                answer: Answer | None = arguments.run(arguments)
        except OperationError as error:
            if arguments.json and error.document is not None:
                Answer(error.document).show(as_json=True)
            raise
        if answer is None:
            return 0
        answer.show(as_json=arguments.json)
        return answer.exit_code
    except KeyboardInterrupt:
        print(f"\nInterrupted. {interrupted}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # as in `make logs | head`: whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if (explained := explain(error)) is None:
            raise
        say("\nError: {}\nNext step: {}".format(*explained), error=True)
        return FAILED


def explain(error: Exception) -> tuple[str, str] | None:
    """Return what went wrong and the next step; None for an error that nobody expected."""
    from operations.errors import OperationError

    if isinstance(error, OperationError):
        return error.message, error.hint
    # Imported late: an expected error of the verb itself needs neither.
    from botocore.exceptions import BotoCoreError, ClientError

    from classifier.errors import ClassifierError
    from text_classifier import TextClassifierError

    if isinstance(error, (ClassifierError, TextClassifierError)):
        return error.message, error.hint
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return (
            f"AWS answered {said.get('Code')} to {error.operation_name}: {said.get('Message')}",
            "check that these credentials may do that.",
        )
    if isinstance(error, BotoCoreError):
        return str(error), "for the local cloud, `make up`; for AWS, check credentials and region."
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
