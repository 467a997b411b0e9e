"""The training job: from labelled text to a model folder with its evaluation.

The toolkit of a SageMaker training container starts it. On any other machine:

    python training_job/train.py --train DATA --test DATA --model-dir OUT

Under torchrun (several instances or GPUs) the processes train together; the main process alone does the rest.
"""

import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from classifier.errors import ClassifierError
from classifier.job.arguments import parse_arguments
from classifier.job.environment import JobEnvironment, hyperparameters_file, origin_of, write_failure
from classifier.job.hub_token import fetch_hub_token
from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.job.runtime import check_gpu, log_problems_only, plain_logging, prepare_environment, prepare_libraries
from classifier.model.base_model import find_base_model, stay_offline

log = logging.getLogger("train")


def run(argv: Sequence[str], environ: Mapping[str, str], stop: StopRequest, processes: Processes) -> None:
    """Run the whole job in order. Refuse bad input before loading anything."""
    written = hyperparameters_file(environ)
    # The container's toolkit repeats the file on the command line, where an older one lets a shell change the values.
    arguments = parse_arguments([] if written and "SM_HPS" in environ else argv)
    hp = Hyperparameters.parse({**written, **arguments.hyperparameters})
    job = JobEnvironment.resolve(arguments.folders, environ)
    fetch_hub_token(environ)
    base = find_base_model(hp.base_model, hp.base_model_revision)
    if not (base.local or base.revision):
        log.warning("base_model names no revision: what is newest on the hub is taken; %s@COMMIT pins it.", base.name)
    if not hp.hub_repo_id:
        stay_offline(base)
    elif processes.main:
        from classifier.artifact import hub

        hub.look(hp.hub_repo_id)  # a token that may not write is said before the training

    # Imported late: pandas here, torch and transformers below take seconds, which --help need not wait for.
    from classifier.data.splits import load_splits

    with processes.main_first("data"):
        splits = load_splits(job, hp, quarantine=processes.main)

    prepare_libraries()
    check_gpu(environ)
    from classifier.artifact import package as artifact
    from classifier.artifact.vendoring import vendor_if_possible
    from classifier.onnx_export.export import export_int8
    from classifier.report.evaluation_file import evaluate
    from classifier.report.output import log_results, write_report, write_test_rows
    from classifier.report.tracking import tracked
    from classifier.training import checkpoints
    from classifier.training.recipe import train_classifier

    identity = {**hp.as_dict(), "processes": processes.count, "base": base.location, "data": splits.data.data_sha256}
    run_dir = checkpoints.run_folder(job.checkpoint_dir, identity)
    origin = origin_of(environ, written)
    tags = {**origin, "data_sha256": splits.data.data_sha256}
    with tracked(environ if processes.main else {}, hp.as_dict(), tags) as settled:
        trained = train_classifier(splits, base, hp, run_dir, stop, processes)
        if trained is None:
            return

        with artifact.model_folder(job.model_dir) as folder:
            export_int8(trained.model, folder / artifact.ONNX_FILE, trained.tokenizer, trained.encoded_validation)
            evaluation = evaluate(trained, splits, hp, folder / artifact.ONNX_FILE)
            evaluation["vendored"] = vendor_if_possible(folder / artifact.CODE, wanted=hp.vendor_onnxruntime == "yes")
            evaluation["origin"] = origin
            artifact.write_artifact(folder, trained, evaluation, base)

        write_report(job.output_data_dir, evaluation, splits.data.manifest, trained.runs)
        write_test_rows(job.output_data_dir, splits.test)
        checkpoints.forget(run_dir, and_parent=not job.managed)
        log_results(evaluation)
        settled |= evaluation["recipe"]
    log.info("model: %s", job.model_dir)
    if hp.hub_repo_id:
        api, _, there = hub.look(hp.hub_repo_id)
        files = hub.prepare(api, hp.hub_repo_id, there, job.model_dir)
        log.info("published: %s", hub.send(api, hp.hub_repo_id, there, files, "Publish the model"))


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the job. Return 0, or 1 with the reason on stderr and in the job's failure file."""
    environ = os.environ if environ is None else environ
    processes = Processes()
    with plain_logging(), StopRequest().watched() as stop:
        try:
            prepare_environment()
            processes = Processes.join(environ)
            if not processes.main:
                log_problems_only()
            run(sys.argv[1:] if argv is None else argv, environ, stop, processes)
        except ClassifierError as e:
            report_failure(str(e), environ, processes)
            return 1
        except KeyboardInterrupt:
            log.error("Stopped from the keyboard.")
            return 130
        except Exception as e:
            report_failure(unexpected(e), environ, processes, stack=traceback.format_tb(e.__traceback__))
            return 1
    return 0


def unexpected(error: Exception) -> str:
    """Return the reason of an error that nobody foresaw: its place. Its message may quote a row of the data."""
    kind = type(error).__name__
    if isinstance(error, OSError | MemoryError) or kind == "OutOfMemoryError":  # of the machine, which knows no rows
        return f"{kind}: {error}".splitlines()[0]
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{kind} in {place.name} ({Path(place.filename).name}, line {place.lineno}): the job's log says how."


def report_failure(reason: str, environ: Mapping[str, str], processes: Processes, *, stack: Sequence[str] = ()) -> None:
    """Log and write why the job failed. Of several processes, only the one that failed first logs it.

    `stack`: how an unexpected error came about.
    """
    first = processes.first_failure(reason)
    if first.rank == processes.rank:
        if stack:
            log.error("The job failed unexpectedly.\n%s", "".join(stack))
        log.error("%s", reason)
    if first.rank == processes.rank or processes.main:
        write_failure(first.reason, environ)


if __name__ == "__main__":
    sys.exit(main())
