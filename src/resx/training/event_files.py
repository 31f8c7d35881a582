"""TensorBoard's files in a run directory."""

from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo
from torch.utils.tensorboard import SummaryWriter

from resx.store.files import EVENTS
from resx.store.summary import Status
from resx.store.writing import naming

ERROR_CHART = ["error/train", "error/train_clean", "error/test"]
LAYOUT = {
    "Training against test": {
        "error (%)": ["Multiline", ERROR_CHART],
        "loss": ["Multiline", [tag.replace("error", "loss") for tag in ERROR_CHART]],
    }
}


class EventFiles:
    """A `tracking.Board`; the first file has the settings, too, and a chart of all errors."""

    def __init__(self, directory: Path, first_step: int, settings: dict[str, Any]) -> None:
        """`first_step` is the step that training goes on with: later points are forgotten."""
        self.directory = directory
        begun = any(directory.glob(f"{EVENTS}*"))
        self.known = first_step - 1 if begun else 0  # the last step that they have
        with naming(directory):
            self.writer = SummaryWriter(directory, purge_step=first_step)
            if not begun:
                self.writer._get_file_writer().add_summary(session_start(settings))
                self.writer.add_custom_scalars(LAYOUT)

    def add(self, step: int, seconds: float, scalars: dict[str, float]) -> None:
        if step <= self.known:
            return
        with naming(self.directory):
            for tag, value in scalars.items():
                self.writer.add_scalar(tag, value, step)
            self.writer.flush()

    def close(self, status: Status) -> None:
        with naming(self.directory):
            self.writer.close()


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
