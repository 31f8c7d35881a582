"""How much memory there is is what the machine says, or the container."""

import torch

from resx import memory

CPU = torch.device("cpu")


def test_memory_that_is_available_is_the_machines_or_the_containers(tmp_path, monkeypatch):
    assert 10**7 < memory.available_memory(CPU) < 10**14
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available_memory(CPU) == 2_000_000
    assert memory.total_memory(CPU) == 3_000_000


def test_a_container_without_a_limit_has_what_the_machine_has(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available_memory(CPU) < memory.total_memory(CPU) < 10**14
