"""A run on a shared disk has one owner, who is known by signs of life and not by clocks."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from resx.errors import BusyError
from resx.store import claim
from resx.store.run import Run

BEAT, STALE = 0.1, 1.0
# Trains a run, as far as the store can see: owns it and appends records until told otherwise.
OWNER = f"""
import sys, time
from pathlib import Path
from resx.store import claim
from resx.store.run import Run
claim.BEAT, claim.STALE = {BEAT}, {STALE}
host, directory = sys.argv[1:]
claim.HOST = host or claim.HOST
run = Run(Path(directory))
with run.locked():
    for step in range(1, 10_000):
        run.record(step=step, split="train", loss=1.0, error=0.5)
        print(step, flush=True)
        time.sleep(0.02)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(claim, "BEAT", BEAT)
    monkeypatch.setattr(claim, "STALE", STALE)


@contextmanager
def owner(directory, host):
    """Another process at work on a run, on a host of that name."""
    command = [sys.executable, "-c", OWNER, host, str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def unlock(directory):
    """As on a disk whose locks do not reach from one host to another."""
    (directory / ".lock").unlink()


def test_a_process_on_another_host_that_is_alive_keeps_its_run_whatever_the_clocks_say(tmp_path):
    run = Run(tmp_path)
    with owner(tmp_path, "elsewhere"):
        unlock(tmp_path)
        for hour in (-3600, 3600):
            os.utime(tmp_path / ".claim", (time.time() + hour,) * 2)
            with pytest.raises(BusyError, match=r"being trained by process \d+ on elsewhere"):
                with run.locked():
                    pass
        assert run.is_locked()


def test_a_run_of_a_host_that_died_is_taken_over(tmp_path):
    run = Run(tmp_path)
    with owner(tmp_path, "elsewhere") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert run.is_locked()  # for all that anybody can know yet
        began = time.monotonic()
        with run.locked():
            assert time.monotonic() - began > STALE
            run.record(step=20_000, split="train", loss=1.0, error=0.5)
    assert not run.is_locked()


@pytest.mark.parametrize("host", ["elsewhere", ""], ids=["another host", "this host"])
def test_a_frozen_owner_that_wakes_writes_nothing(tmp_path, host):
    run = Run(tmp_path)
    with owner(tmp_path, host) as process:
        process.send_signal(signal.SIGSTOP)
        if host:
            unlock(tmp_path)
        else:
            with pytest.raises(BusyError), run.locked():  # not yet known to be frozen
                pass
        time.sleep(1.5 * STALE)
        with run.locked():
            before = (tmp_path / "metrics.jsonl").read_bytes()
            process.send_signal(signal.SIGCONT)
            _, error = process.communicate(timeout=20)
            assert process.returncode != 0
            assert "was taken over by process" in error
            assert (tmp_path / "metrics.jsonl").read_bytes() == before
            run.record(step=20_000, split="train", loss=1.0, error=0.5)
        assert not (tmp_path / ".claim").exists()


def test_nor_does_it_if_whoever_took_over_has_ended_since(tmp_path):
    with owner(tmp_path, "") as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5 * STALE)
        run = Run(tmp_path)
        with run.locked():
            run.record(step=20_000, split="train", loss=1.0, error=0.5)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        process.send_signal(signal.SIGCONT)
        _, error = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "was taken over by another process, which has ended" in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_claim_that_a_disk_does_not_show_for_a_moment_is_no_missing_one(tmp_path, monkeypatch):
    """As NFS may answer while the file is replaced."""
    reads = Path.read_bytes
    fails = iter([True, True])

    def stale(path):
        if path.name == ".claim" and next(fails, False):
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return reads(path)

    with owner(tmp_path, "elsewhere"):
        unlock(tmp_path)
        monkeypatch.setattr(Path, "read_bytes", stale)
        with pytest.raises(BusyError, match="on elsewhere"), Run(tmp_path).locked():
            pass
    assert next(fails, None) is None


def test_a_process_that_ends_leaves_no_claim_and_one_that_is_killed_is_followed_at_once(tmp_path):
    run = Run(tmp_path)
    with run.locked():
        assert json.loads((tmp_path / ".claim").read_text())["pid"] == os.getpid()
    assert not (tmp_path / ".claim").exists()
    with owner(tmp_path, "") as process:
        process.kill()
        process.wait()
        assert not run.is_locked()
        began = time.monotonic()
        with run.locked():
            assert time.monotonic() - began < STALE


def test_a_damaged_claim_is_nobodys(tmp_path):
    (tmp_path / ".claim").write_text('{"host": 7')
    with Run(tmp_path).locked():
        pass
