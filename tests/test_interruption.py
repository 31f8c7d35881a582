"""A signal ends a command at a safe place, whatever it was doing."""

import signal

import pytest

from resx.config.notes import Note, begun, claim, read_note, report, write_note
from resx.interruption import ask_to_stop, listening, received, stop_signals


def test_a_signal_raises_and_is_remembered():
    with listening():
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
        assert received() == "SIGTERM"  # whatever the interrupted code made of it
    assert received() == ""


def test_what_saves_itself_is_not_interrupted_by_the_first_signal():
    with listening(), stop_signals() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped() == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_before_the_training_stops_it_after_a_step():
    with listening(), pytest.raises(KeyboardInterrupt):
        ask_to_stop("SIGTERM")
    with listening():
        try:
            ask_to_stop("SIGTERM")
        except KeyboardInterrupt:
            pass  # code that swallows it, such as an import
        with stop_signals() as stopped:
            assert stopped() == "SIGTERM"


def test_handlers_are_as_before_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with listening(), stop_signals():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with listening():
            signal.raise_signal(signal.SIGHUP)
            assert received() == ""
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_job_is_taken_once_and_a_death_is_told_from_a_failure(tmp_path, capsys):
    assert claim(tmp_path, 3)
    assert not claim(tmp_path, 3)
    write_note(tmp_path, 0, Note("depth=8", code=0))
    write_note(tmp_path, 1, Note("depth=14", code=1, message="no such network"))
    assert begun(tmp_path) == [0, 1, 3]
    assert read_note(tmp_path, 3).code is None
    assert read_note(tmp_path, 2) is None
    assert report(tmp_path) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "1 of 3 jobs done"
    assert lines[1:] == ["failed: depth=14: no such network", "failed: : its process died"]
