"""Which process this is, and which of them says why all of them end."""

import os
import signal
import threading

import pytest

from resx import process
from resx.interruption import listening
from resx.process import Place, place, several, speaks_of_its_end


def as_rank(monkeypatch, rank, world=2):
    for name, value in (("RANK", rank), ("WORLD_SIZE", world), ("LOCAL_RANK", rank % 4)):
        monkeypatch.setenv(name, str(value))


def test_without_torchrun_there_is_one(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert place() == Place(0, 1, 0)
    assert not several()


def test_torchrun_says_which_it_is(monkeypatch):
    as_rank(monkeypatch, 5, 8)
    assert place() == Place(5, 8, 1)
    assert several()


@pytest.mark.parametrize(("rank", "ended", "speaks"), [(0, False, True), (1, True, False)])
def test_the_first_speaks_and_the_others_wait_for_their_end(monkeypatch, rank, ended, speaks):
    as_rank(monkeypatch, rank)
    with listening():
        if ended:  # as torchrun does once the first has spoken
            ask = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
            ask.start()
        assert speaks_of_its_end() is speaks


def test_what_ends_one_process_alone_is_said_by_it(monkeypatch):
    as_rank(monkeypatch, 1)
    monkeypatch.setattr(process, "PATIENCE", 0.1)
    with listening():
        assert speaks_of_its_end()
