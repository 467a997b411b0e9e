"""The training job: from labelled text to a model folder with its evaluation.

In a SageMaker training container the toolkit starts it; on this machine:

    python training_job/train.py --train DATA --test DATA --model-dir OUT
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from classifier.arguments import parse_arguments
from classifier.base_model import find_base_model, stay_offline
from classifier.environment import JobEnvironment, hyperparameters_file, write_failure
from classifier.errors import ClassifierError
from classifier.hyperparameters import Hyperparameters
from classifier.interruption import StopRequest
from classifier.process_setup import configure_logging, prepare_libraries

log = logging.getLogger("train")


def run(argv: Sequence[str], environ: Mapping[str, str], stop: StopRequest) -> None:
    """The whole job, in order. Everything that can be refused is refused before anything is loaded."""
    arguments = parse_arguments(argv)
    hp = Hyperparameters.parse({**hyperparameters_file(environ), **arguments.hyperparameters})
    job = JobEnvironment.resolve(arguments.folders, environ)
    base = find_base_model(hp.base_model, hp.base_model_revision)
    stay_offline(base)

    from classifier.splits import load_splits  # pandas, and below torch and transformers: seconds, not for --help

    splits = load_splits(job, hp)

    prepare_libraries()
    from classifier import artifact, checkpoints, hub
    from classifier.callbacks import figures_line
    from classifier.export import export_int8
    from classifier.loss_curve import loss_curve
    from classifier.model_card import model_card
    from classifier.results import evaluate_and_check
    from classifier.trained import train_classifier

    identity = {**hp.as_dict(), "base": base.location, "data": splits.data_sha256}
    run_dir = checkpoints.run_folder(job.checkpoint_dir, identity)
    trained = train_classifier(splits, base, hp, run_dir, stop)

    with artifact.model_folder(job.model_dir) as folder:
        export_int8(trained.model, folder / artifact.ONNX_FILE)
        results = evaluate_and_check(trained, splits, hp, folder / artifact.ONNX_FILE)
        evaluation = results.as_dict(splits, trained, hp)
        artifact.save_hugging_face(
            folder, trained.model, trained.tokenizer, labels=splits.label_names, settings=trained.settings()
        )
        artifact.copy_serving_code(folder)
        artifact.write_json(folder / artifact.EVALUATION_FILE, evaluation)
        card = model_card(
            evaluation,
            labels=splits.label_names,
            base_model=base.title,
            on_hub=not base.local,
            objective=splits.objective,
        )
        (folder / "README.md").write_text(card, encoding="utf-8")

    artifact.write_json(job.output_data_dir / artifact.EVALUATION_FILE, evaluation)
    curve = loss_curve([fitted.history for fitted in trained.runs])
    (job.output_data_dir / "loss.svg").write_text(curve, encoding="utf-8")
    checkpoints.forget(run_dir, and_parent=not job.managed)
    log.info("%s", figures_line("eval", results.validation.points()))
    if results.test is not None:
        log.info("%s", figures_line("test", results.test.points()))
    log.info(
        "int8_accuracy=%.4f int8_f1=%.4f int8_agreement=%.4f (%s rows)",
        results.int8.accuracy.value,
        results.int8.f1.value,
        results.agreement,
        results.int8_split,
    )
    log.info("model: %s", job.model_dir)
    if hp.hub_repo_id:
        log.info("published: %s", hub.publish(job.model_dir, hp.hub_repo_id))


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Runs the job; the exit status is 0, or 1 with the reason on stderr and in the job's failure file."""
    environ = os.environ if environ is None else environ
    configure_logging()
    with StopRequest().watched() as stop:
        try:
            run(sys.argv[1:] if argv is None else argv, environ, stop)
        except ClassifierError as e:
            log.error("%s", e)
            write_failure(str(e), environ)
            return 1
        except KeyboardInterrupt:
            log.error("Stopped from the keyboard; nothing was written.")
            return 130
        except Exception as e:
            log.exception("The job failed unexpectedly.")
            write_failure(f"{type(e).__name__}: {e}".splitlines()[0], environ)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
