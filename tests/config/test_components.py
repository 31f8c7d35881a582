"""A component is a function that is defined where its name says and returns what is wanted."""

import re
import sys
from pathlib import Path

import pytest

from resx.config.components import build
from resx.data.source import Source
from resx.errors import RequestError
from resx.models.parts.network import Network


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path whose import and whose functions leave a file."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "__init__.py").write_text(f"""
import pathlib
from resx.data.source import Source

pathlib.Path({str(tmp_path)!r}, "imported").touch()

def read(root, image_size, download, cache, norm: str = "x") -> Source:
    pathlib.Path({str(tmp_path)!r}, "called").touch()
    raise ValueError(f"norm={{norm}}: must be y")

def unannotated(root, image_size, download, cache):
    pathlib.Path({str(tmp_path)!r}, "called").touch()

def lies(root, image_size, download, cache) -> Source:
    return 3

def takes_too_little() -> Source: ...

def string(root) -> "Sauce": ...

def needs(root, image_size, download, cache, norm: str) -> Source: ...
""")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("stranger", None)


ARGUMENTS = {"root": None, "image_size": 8, "download": False, "cache": Path()}


def ask(target, returns=Source, trust=(), **options):
    return build({"_target_": target, **options}, "data.source", returns, trust, **ARGUMENTS)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("os.system", "only functions of resx are called; trust=[os], typed, allows"),
        ("shutil.rmtree", "only functions of resx are called"),
        ("stranger.read", "trust=[stranger], typed"),
        ("resx.cli.hydra.utils.instantiate", "No module named 'resx.cli.hydra'"),
        ("resx.cli.importlib.import_module", "No module named 'resx.cli.importlib'"),
        ("resx.cli.hydra", "is no function defined in resx.cli"),  # a module
        ("resx.experiment.Path", "is no function defined in"),  # a class, imported
        ("resx.models.parts.network.Network", "is no function defined in"),  # a class of ours
        ("resx.commands.evaluate.open_run", "is no function defined in"),  # imported there
        ("resx.cli.main", "does not declare to return a Source"),
        ("resx.store.writing.replace_text", "does not declare to return a Source"),
        ("resx.models.resnet.resnet", "does not declare to return a Source"),
        ("resx.__main__.main", "is no function defined in"),
        ("resx.data.nowhere.digits", "No module named"),
        ("resx.data.digits.nothing", "is no function defined in"),
        ("resx", "names no function"),
        ("resx.data.digits.digits.__call__", "No module named"),
        ("resx; import os", "names no function"),
        (None, "names no function"),
        (3, "names no function"),
        (["resx.data.digits.digits"], "names no function"),
    ],
)
def test_what_is_no_component_is_refused_and_not_called(package, target, message):
    with pytest.raises(RequestError, match=re.escape(message)) as refusal:
        ask(target)
    assert "\n" not in str(refusal.value)
    assert not (package / "imported").exists()


def test_a_trusted_package_is_called_and_its_complaints_get_the_settings_name(package):
    with pytest.raises(RequestError, match=r"^data\.source\.norm=z: must be y$"):
        ask("stranger.read", trust=["stranger"], norm="z")
    assert (package / "called").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unannotated", "does not declare to return a Source: a reader is def NAME(root, image_s"),
        ("lies", "returned a int, no Source: a reader is def NAME(root, image_size, down"),
        ("takes_too_little", "takes no 'root', and must: a reader is def NAME(root, image_size, d"),
        ("needs", "data.source.norm is not set, and stranger.needs has no default for it"),
        ("pathlib", "is no function defined in stranger"),
        ("string", "name 'Sauce' is not defined"),
    ],
)
def test_a_trusted_function_that_does_not_fit_is_told_what_it_lacks(package, name, message):
    with pytest.raises(RequestError, match=re.escape(message)):
        ask(f"stranger.{name}", trust=["stranger"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": "abc"}, "model.width=abc: .* could not be converted to Integer"),
        ({"widht": 3}, "unknown option 'model.widht'; did you mean 'model.width'?"),
    ],
)
def test_options_are_checked_against_the_functions_signature(configure, options, message):
    component = configure("train").model | options
    with pytest.raises(RequestError, match=message):
        build(component, "model", Network, spec=None)
