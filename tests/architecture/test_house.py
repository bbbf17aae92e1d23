"""What the house promises of itself: its top level, its rooms, and that its front door lists what is inside."""

import tomllib

import pytest

from functions.services import SERVICES, declare
from linkflow.messages import QUEUES
from linkflow.nodes.base import BaseNode, PureNode, TaskNode, TriggerNode, WaitNode
from linkflow.nodes.catalog import NODES
from linkflow.runtime.functions import HttpRoutes
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import not_connected
from tests.architecture.sources import FUNCTIONS, LIBRARY, ROOT, modules

PAGES = (ROOT / "README.md", FUNCTIONS / "README.md", LIBRARY / "nodes" / "README.md")
README = "".join(page.read_text() for page in PAGES)
"""The front door, and the pages that it leads to."""
TOP = {
    "functions",
    "infra",
    "layers",
    "state_machines",
    "tests",
    "scripts",
    "app.py",
    "pyproject.toml",
    "samconfig.toml",
    "README.md",
}


def tracked() -> set[str]:
    """The top level as a clone has it: no dotfiles, nothing that is made."""
    made = {"data", "build", "linkflow.egg-info"}
    return {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - made


def test_the_top_level_is_exactly_what_was_agreed() -> None:
    assert tracked() == TOP


@pytest.mark.parametrize("service", sorted(path.name for path in FUNCTIONS.iterdir() if (path / "handler.py").exists()))
def test_every_service_is_declared_and_told_of(service: str) -> None:
    declared = {one.service for one in declare(not_connected(Settings()))}
    assert service in declared
    assert f"`{service}`" in README


def test_every_declared_service_has_its_rooms() -> None:
    assert len(SERVICES) == len([path for path in FUNCTIONS.iterdir() if (path / "handler.py").exists()])


@pytest.mark.parametrize("name", sorted(NODES))
def test_every_node_has_a_file_of_its_name_a_catalogue_entry_and_a_line_in_the_readme(name: str) -> None:
    node = NODES[name]
    assert node.__module__.removesuffix("_") == f"linkflow.nodes.{name}"  # (`try` is a word of Python)
    assert node.__doc__
    assert node.__doc__ not in {base.__doc__ for base in (BaseNode, PureNode, TaskNode, TriggerNode, WaitNode)}
    assert f"`{name}`" in README


@pytest.mark.parametrize("queue", [spec.name for spec in QUEUES])
def test_every_queue_is_told_of(queue: str) -> None:
    assert f"`{queue}`" in README


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_says_what_it_is_and_is_listed(setting: str) -> None:
    assert Settings.model_fields[setting].description
    assert f"`LINKFLOW_{setting.upper()}`" in README


@pytest.mark.parametrize(
    "script", sorted(path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and path.suffix == "")
)
def test_every_script_is_short_and_listed(script: str) -> None:
    lines = (ROOT / "scripts" / script).read_text().splitlines()
    assert len(lines) < 25
    assert f"`scripts/{script}" in README


def test_every_route_is_listed() -> None:
    routes = {
        (method, rule)
        for one in declare(not_connected(Settings()))
        if isinstance(one.trigger, HttpRoutes)
        for method, rule in one.trigger.routes.declared
    }
    missing = {f"{method} {rule}" for method, rule in routes if rule.replace("<", "{").replace(">", "}") not in README}
    assert not missing


def test_every_dependency_says_why() -> None:
    source = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(source)["project"]
    wanted = [*project["dependencies"], *(one for group in project["optional-dependencies"].values() for one in group)]
    for requirement in wanted:
        (line,) = [line for line in source.splitlines() if line.strip().startswith(f'"{requirement}"')]
        assert "#" in line or requirement.startswith("linkflow["), requirement


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in [*modules(LIBRARY), *modules(FUNCTIONS)]
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long
