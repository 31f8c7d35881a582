"""TensorBoard shows the curves in percent, the settings, and no zig-zag after a resume."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from resx.store.files import CHECKPOINT


def scalars(run, tag):
    board = EventAccumulator(str(run))
    board.Reload()
    return board, [(e.step, e.value) for e in board.Scalars(tag)]


def test_curves_are_in_percent_and_settings_in_the_same_run(resx, tiny, only_run):
    resx("train", *tiny)
    board, curve = scalars(only_run(), "error/train_clean")
    assert [step for step, _ in curve] == [4, 8, 12]
    assert all(value > 1 for _, value in curve)
    tags = set(board.Tags()["scalars"])
    wanted = {"error/train", "error/test", "loss/train", "loss/test", "lr"}
    assert wanted | {"speed/images_per_second"} <= tags
    assert "custom_scalars__config__" in board.Tags()["tensors"]
    assert metadata.EXPERIMENT_TAG not in board.summary_metadata  # one run's columns would be all's
    content = board.summary_metadata[metadata.SESSION_START_INFO_TAG].plugin_data.content
    settings = metadata.parse_session_start_info_plugin_data(content).hparams
    assert (settings["residual"].WhichOneof("kind"), settings["model"].string_value) == (
        "bool_value",
        "resnet",
    )
    # TensorBoard shows five columns, by name: the network comes before how it was trained.
    assert sorted(settings)[:4] == ["depth", "model", "residual", "seed"]
    assert {"training/lr", "training/steps", "variant/norm"} <= set(settings)
    assert len(list(only_run().glob("events.*"))) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_resumed_run_has_every_step_once(resx, tiny, only_run):
    resx("train", *tiny)
    run = only_run()
    (run / CHECKPOINT).write_bytes(b"gone")  # so the steps from 8 on are trained again
    (run / "summary.json").unlink()
    resx("train", *tiny)
    assert len(list(run.glob("events.*"))) == 2
    _, curve = scalars(run, "error/train")
    assert [step for step, _ in curve] == [2, 4, 6, 8, 10, 12]
