"""Where records go: metrics.jsonl, TensorBoard, and the person who watches."""

import logging
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resx.store.run import Run
from resx.store.writing import naming

log = logging.getLogger(__name__)

ERROR_CHART = ["error/train", "error/train_clean", "error/test"]
LAYOUT = {
    "Training against test": {
        "error (%)": ["Multiline", ERROR_CHART],
        "loss": ["Multiline", [tag.replace("error", "loss") for tag in ERROR_CHART]],
    }
}


class Tracker:
    """Writes every record three times; a bar with the time left on a terminal, else lines."""

    def __init__(
        self, run: Run, first_step: int, steps: int, batch_size: int, label: str, quiet: bool
    ) -> None:
        """`first_step` is the step that training goes on with: later records are forgotten."""
        self.run, self.batch_size, self.label = run, batch_size, label
        self.steps = steps
        self.last: tuple[int, float] | None = None  # step and seconds of the last record
        run.rewind(first_step - 1)
        with naming(run.directory):
            self.board = SummaryWriter(run.directory, purge_step=first_step)
        self.bar = tqdm(
            total=steps,
            initial=first_step - 1,
            desc=label,
            unit="step",
            disable=True if quiet else None,
            dynamic_ncols=True,
        )

    def describe(self, settings: dict[str, Any]) -> None:
        """Once a run: the settings for TensorBoard's HPARAMS tab, and a chart of all errors."""
        with naming(self.run.directory):
            self.board._get_file_writer().add_summary(session_start(settings))
            self.board.add_custom_scalars(LAYOUT)

    def record(self, **values: Any) -> None:
        """One record: step, epoch, split, loss, error (a fraction), lr, seconds."""
        self.run.record(**values)
        step, split, percent = values["step"], values["split"], 100 * values["error"]
        speed = self._speed(step, values["seconds"]) if split == "train" else None
        with naming(self.run.directory):
            self.board.add_scalar(f"error/{split}", percent, step)
            self.board.add_scalar(f"loss/{split}", values["loss"], step)
            if split == "train":
                self.board.add_scalar("lr", values["lr"], step)
            if speed is not None:
                self.board.add_scalar("speed/images_per_second", speed, step)
            self.board.flush()
        if self.bar.disable or split != "train":
            log.info(
                "%s  step %d/%d  %-11s  error %6.2f %%  loss %.4f  lr %.4g%s",
                self.label,
                step,
                self.steps,
                split,
                percent,
                values["loss"],
                values["lr"],
                "" if speed is None else f"  {speed:.0f} images/s",
            )
        self.bar.set_postfix_str(f"{split} error {percent:.2f} %", refresh=False)

    def _speed(self, step: int, seconds: float) -> float | None:
        """Images a second since the last record, if there was one."""
        before, self.last = self.last, (step, seconds)
        if before is None or seconds <= before[1]:
            return None
        last_step, last_seconds = before
        return (step - last_step) * self.batch_size / (seconds - last_seconds)

    def tick(self, step: int) -> None:
        self.bar.update(step - self.bar.n)

    def close(self) -> None:
        self.bar.close()
        with naming(self.run.directory):
            self.board.close()


def session_start(settings: dict[str, Any]) -> Summary:
    """A run's settings in the form of TensorBoard's HPARAMS tab, without those that are None.

    torch's `hparams` would also write which columns there are, and TensorBoard takes those of one
    run for all: it then neither knows which settings differ nor shows them first.
    """
    start = SessionStartInfo()
    for name, value in settings.items():
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            start.hparams[name].number_value = value
        elif value is not None:
            start.hparams[name].string_value = str(value)
    content = HParamsPluginData(session_start_info=start, version=metadata.PLUGIN_DATA_VERSION)
    plugin = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=content.SerializeToString()
    )
    value = Summary.Value(
        tag=metadata.SESSION_START_INFO_TAG, metadata=SummaryMetadata(plugin_data=plugin)
    )
    return Summary(value=[value])
