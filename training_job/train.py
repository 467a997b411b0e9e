"""The training job: from labelled text to a model folder with its evaluation.

In a SageMaker training container the toolkit starts it; on this machine:

    python training_job/train.py --train DATA --test DATA --model-dir OUT

Under torchrun (several instances or GPUs) the processes train together, and the main one alone does what follows.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from classifier.errors import ClassifierError
from classifier.job.arguments import parse_arguments
from classifier.job.environment import JobEnvironment, hyperparameters_file, write_failure
from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.process_setup import only_problems, plain_logging, prepare_environment, prepare_libraries
from classifier.job.processes import Processes
from classifier.model.base_model import find_base_model, stay_offline

log = logging.getLogger("train")


def run(argv: Sequence[str], environ: Mapping[str, str], stop: StopRequest, processes: Processes) -> None:
    """The whole job, in order. Everything that can be refused is refused before anything is loaded."""
    arguments = parse_arguments(argv)
    hp = Hyperparameters.parse({**hyperparameters_file(environ), **arguments.hyperparameters})
    job = JobEnvironment.resolve(arguments.folders, environ)
    base = find_base_model(hp.base_model, hp.base_model_revision)
    if not hp.hub_repo_id:
        stay_offline(base)

    from classifier.data.splits import load_splits  # pandas, and below torch and transformers: seconds, not for --help

    with processes.main_first("data"):
        splits = load_splits(job, hp, quarantine=processes.main)

    prepare_libraries()
    from classifier.artifact import hub
    from classifier.artifact import package as artifact
    from classifier.artifact.vendoring import vendor_if_possible
    from classifier.data.tested_rows import write_test_rows
    from classifier.onnx_export.export import export_int8
    from classifier.report.report import say_results, write_report
    from classifier.report.results import evaluate_and_check
    from classifier.training import checkpoints
    from classifier.training.trained_model import train_classifier

    identity = {**hp.as_dict(), "processes": processes.count, "base": base.location, "data": splits.data_sha256}
    run_dir = checkpoints.run_folder(job.checkpoint_dir, identity)
    trained = train_classifier(splits, base, hp, run_dir, stop, processes)
    if trained is None:
        return

    with artifact.model_folder(job.model_dir) as folder:
        export_int8(trained.model, folder / artifact.ONNX_FILE, trained.tokenizer, trained.encoded_validation)
        results = evaluate_and_check(trained, splits, hp, folder / artifact.ONNX_FILE)
        vendored = vendor_if_possible(folder / artifact.CODE, wanted=hp.vendor_onnxruntime == "yes")
        evaluation = {**results.as_dict(splits, trained, hp), "vendored": vendored.as_dict()}
        artifact.write_artifact(folder, trained, evaluation, labels=splits.label_names, base=base)

    write_report(job.output_data_dir, evaluation, trained)
    write_test_rows(job.output_data_dir, splits.test)
    checkpoints.forget(run_dir, and_parent=not job.managed)
    say_results(results)
    log.info("model: %s", job.model_dir)
    if hp.hub_repo_id:
        log.info("published: %s", hub.publish(job.model_dir, hp.hub_repo_id))


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Runs the job; the exit status is 0, or 1 with the reason on stderr and in the job's failure file."""
    environ = os.environ if environ is None else environ
    processes = Processes()
    with plain_logging(), StopRequest().watched() as stop:
        try:
            prepare_environment()
            processes = Processes.join(environ)
            if not processes.main:
                only_problems()
            run(sys.argv[1:] if argv is None else argv, environ, stop, processes)
        except ClassifierError as e:
            report_failure(str(e), environ, processes)
            return 1
        except KeyboardInterrupt:
            log.error("Stopped from the keyboard.")
            return 130
        except Exception as e:
            report_failure(f"{type(e).__name__}: {e}".splitlines()[0], environ, processes, unexpected=True)
            return 1
    return 0


def report_failure(reason: str, environ: Mapping[str, str], processes: Processes, *, unexpected: bool = False) -> None:
    """Says why the job failed, once: of several processes the one that failed first does."""
    first = processes.first_failure(reason)
    if first.rank == processes.rank:
        if unexpected:
            log.exception("The job failed unexpectedly.")
        else:
            log.error("%s", reason)
    if first.rank == processes.rank or processes.main:
        write_failure(first.reason, environ)


if __name__ == "__main__":
    sys.exit(main())
