"""A checkpoint is whole or not there."""

import os
import pickle

import pytest
import torch

from resx.config.settings import to_dict
from resx.errors import RequestError
from resx.store import checkpoint
from resx.store.files import CHECKPOINT, PREVIOUS_CHECKPOINT


@pytest.fixture
def saved(configure):
    """What a checkpoint of some step holds."""
    config = to_dict(configure("train", "depth=8"))

    def of(step):
        state = {"model": {"weight": torch.ones(1000)}, "step": step}
        header = {"config": config, "classes": ["0", "1"], "identity": "0"}
        return header | {"mean": torch.zeros(1), "std": torch.ones(1), "state": state}

    return of


@pytest.fixture
def saved_twice(tmp_path, saved):
    for step in (1, 2):
        checkpoint.save(tmp_path, saved(step))
    return tmp_path


def test_the_newest_is_loaded_and_the_one_before_it_kept(saved_twice):
    assert checkpoint.load_newest(saved_twice)["state"]["step"] == 2
    assert checkpoint.load(saved_twice / PREVIOUS_CHECKPOINT)["state"]["step"] == 1


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped"])
def test_a_damaged_one_gives_way_to_the_one_before(saved_twice, damage):
    newest = saved_twice / CHECKPOINT
    whole = newest.read_bytes()
    middle = whole.index(torch.ones(4).numpy().tobytes()) + 40
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    newest.write_bytes(
        {"truncated": whole[: len(whole) // 2], "empty": b"", "flipped": flipped}[damage]
    )
    assert checkpoint.load_newest(saved_twice)["state"]["step"] == 1


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load_newest(tmp_path) is None


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    path = tmp_path / "evil.pt"
    torch.save({"weights": Evil()}, path)
    with pytest.raises(RequestError, match="not a checkpoint of plain tensors"):
        checkpoint.load(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(RequestError, match=str(path)):
        checkpoint.load(path)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_leaves_the_last_good_one(saved_twice, saved, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="the disk is full"):
        checkpoint.save(saved_twice, saved(3))
    monkeypatch.undo()
    assert checkpoint.load_newest(saved_twice)["state"]["step"] == 2
    assert not list(saved_twice.glob("*.tmp"))
