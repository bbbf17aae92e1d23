"""Imports flow downhill: left never imports right, the core touches nothing, services do not know each other."""

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import FUNCTIONS, LIBRARY, ROOT, imports, modules

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "ids"),
    ("language",),
    ("nodes",),
    ("execution",),
    ("ports", "messages", "search"),
    ("stores",),
    ("engine",),
    ("adapters",),
    ("runtime", "client"),
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
CORE = ("errors.py", "ids.py", "language", "execution")
BANNED_IN_CORE = {
    "boto3",
    "botocore",
    "pynamodb",
    "httpx",
    "chalice",
    "aws_lambda_powertools",
    "sqlite3",
    "os",
    "time",
    "socket",
    "asyncio",
    "threading",
    "subprocess",
    "secrets",
    "logging",
}


def layer_of(module: str) -> str:
    return module.split(".")[1]


def test_every_room_of_the_library_has_its_place_in_the_order() -> None:
    rooms = {path.stem for path in LIBRARY.iterdir() if path.stem not in ("__init__", "__pycache__", "py")}
    assert rooms == set(HEIGHT)


def test_left_never_imports_right() -> None:
    wrong = []
    for path in modules(LIBRARY):
        room = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        for one in imports(path):
            if one.module.startswith("linkflow.") and room in HEIGHT:
                target = layer_of(one.module)
                if target in HEIGHT and HEIGHT[target] > HEIGHT[room]:
                    wrong.append(f"{path.relative_to(ROOT)}:{one.line} imports {one.module}")
                if {room, target} == {"runtime", "client"}:
                    wrong.append(f"{path.relative_to(ROOT)}:{one.line}: runtime and client stand side by side")
    assert not wrong


def test_the_library_knows_no_function_and_no_app() -> None:
    known = [
        one for path in modules(LIBRARY) for one in imports(path) if one.module.split(".")[0] in ("functions", "app")
    ]
    assert not known


def test_the_core_touches_nothing() -> None:
    touched = [
        f"{one.path.relative_to(ROOT)}:{one.line} imports {one.module}"
        for room in CORE
        for path in (modules(LIBRARY / room) if not room.endswith(".py") else [LIBRARY / room])
        for one in imports(path)
        if one.module.split(".")[0] in BANNED_IN_CORE
    ]
    assert not touched


def test_the_core_makes_random_numbers_only_from_a_given_seed() -> None:
    """`Random(seed)` is a function of its argument; anything else of that module is not."""
    allowed = {"random", "random.Random"}
    used = {
        one.module
        for room in ("language", "execution", "nodes")
        for path in modules(LIBRARY / room)
        for one in imports(path)
        if one.module.split(".")[0] == "random"
    }
    assert used <= allowed


def test_no_service_imports_another() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{one.line} imports {one.module}"
        for path in modules(FUNCTIONS)
        if len(path.relative_to(FUNCTIONS).parts) > 1
        for one in imports(path)
        if one.module.startswith("functions.") and one.module.split(".")[1] != path.relative_to(FUNCTIONS).parts[0]
    ]
    assert not wrong


def test_imports_are_never_circular() -> None:
    sources = {".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts): path for path in modules(LIBRARY)}
    graph = {
        name: {one.module for one in imports(path) if one.module in sources and one.module != name}
        for name, path in sources.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail, name])
        if name not in done:
            for target in graph[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", [*modules(LIBRARY), *modules(FUNCTIONS)], ids=lambda path: path.stem)
def test_every_module_says_why_it_is_there(path: Path) -> None:
    """A module of nothing but a node type is described by the node's own docstring."""
    tree = ast.parse(path.read_text())
    one_node = path.parent.name == "nodes" and any(isinstance(part, ast.ClassDef) for part in tree.body)
    if tree.body and not one_node:
        assert ast.get_docstring(tree)


def test_python_is_new_enough() -> None:
    assert sys.version_info >= (3, 11)
