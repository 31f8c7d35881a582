"""A checkpoint is whole or not there."""

import os
import pickle
import zipfile

import pytest
import torch

from resx.config.settings import to_dict
from resx.errors import DamagedError, RequestError
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


def test_a_newest_one_that_is_gone_is_named(saved_twice, caplog):
    """Once the one before it was evaluated as if it were the last."""
    (saved_twice / CHECKPOINT).unlink()
    assert checkpoint.load_newest(saved_twice)["state"]["step"] == 1
    assert (
        f"{CHECKPOINT}: is missing; {PREVIOUS_CHECKPOINT} of step 1 takes its place" in caplog.text
    )
    (saved_twice / PREVIOUS_CHECKPOINT).write_bytes(b"")
    with pytest.raises(DamagedError, match=f"{PREVIOUS_CHECKPOINT}: is truncated"):
        checkpoint.load_newest(saved_twice)


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


def hide(name):
    return lambda saved: saved.pop(name)


def put(value, *place):
    def change(saved):
        for key in place[:-1]:
            saved = saved[key]
        saved[place[-1]] = value

    return change


MALFORMED = [
    (hide("config"), "it has no 'config'"),
    (hide("classes"), "it has no 'classes'"),
    (hide("state"), "not a checkpoint|no checkpoint"),
    (put("junk", "config"), "configuration is no mapping but str"),
    (put({"depth": "deep"}, "config"), "the stored configuration cannot be read"),
    (put(10_000_000, "config", "depth"), "depth 10000000, but only 1 tensors"),
    (put("0, 1", "classes"), "its classes are no list of names"),
    (put([0, 1], "classes"), "its classes are no list of names"),
    (put(torch.zeros(3), "mean"), "its mean and std are of unlike numbers of channels"),
    (put(0.5, "mean"), "its mean is no tensor of a number a channel"),
    (put(torch.zeros(4, 4, 1), "mean"), "its mean is of images of another size"),
    (put("weights", "state", "model", "weight"), "its model has no tensor at weight"),
    (put([], "state", "model"), "its model is no dict"),
    (put("two", "state", "step"), "its step is no number of steps"),
    (put(3, "state", "statistics"), "its statistics is no dict"),
]


@pytest.mark.parametrize(("change", "reason"), MALFORMED)
def test_a_whole_file_that_lacks_something_is_damaged(tmp_path, saved, change, reason):
    content = saved(1)
    change(content)
    torch.save(content, tmp_path / CHECKPOINT)
    with pytest.raises(DamagedError, match=reason):
        checkpoint.load_newest(tmp_path)


def test_if_all_are_damaged_the_run_has_some_and_the_remedy_is_named(saved_twice):
    for name in (CHECKPOINT, PREVIOUS_CHECKPOINT):
        (saved_twice / name).write_text("hello")
    with pytest.raises(DamagedError, match="force=true trains it again"):
        checkpoint.load_newest(saved_twice)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x80\x02}q\x00.", b"(lp0\nI1\n.", b"c\n"])
def test_any_bytes_are_a_line(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(DamagedError, match=r"w\.pt: "):
        checkpoint.load(tmp_path / "w.pt")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(DamagedError, match="is no regular file"):
        checkpoint.load(tmp_path / "w.pt")


def test_a_file_that_would_unfold_is_refused(tmp_path):
    """A gigabyte of zeros is a megabyte of zip."""
    with zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**6))
    with pytest.raises(DamagedError, match="torch compresses nothing"):
        checkpoint.load(tmp_path / "w.pt")
