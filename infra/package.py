"""`python -m infra.package STAGE OUT`: the artefact that `sam deploy` takes.

    OUT/sam.json                  the template: what Chalice makes of app.py, merged with `infra/template.py`
    OUT/deployment.zip            app.py, functions/, Chalice's runtime
    OUT/linkflow-layer.zip        the library, under python/
    OUT/dependencies-layer.zip    layers/dependencies/requirements.txt installed, under python/

Chalice drops a top-level `functions/` without a word, and puts the contents of `vendor/` beside app.py: so the project
is staged in a folder of its own, with `functions/` and `state_machines/` in `vendor/`. Its `--project-dir` changes
directory, so all paths are absolute; the package is named by its contents, so the staging folder is always a fresh one.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from functions.services import declare
from infra.policies import ISOLATED, policy
from infra.template import template
from linkflow.runtime.functions import HttpRoutes
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import not_connected

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "layers" / "linkflow" / "python"
REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
_JUNK = shutil.ignore_patterns("__pycache__", "*.pyc", "demo")
_PLATFORM = ("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64", "--only-binary=:all:")


def package(stage: str, out: Path) -> None:
    settings = Settings(stage=stage, family="aws")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        project = _staged(Path(folder), settings)
        _run_chalice(project, stage, out)
    _library_layer(out)
    _dependencies_layer(out)


def _staged(folder: Path, settings: Settings) -> Path:
    project = folder / "linkflow"
    shutil.copytree(ROOT / "functions", project / "vendor" / "functions", ignore=_JUNK)
    shutil.copytree(ROOT / "state_machines", project / "vendor" / "state_machines", ignore=_JUNK)
    shutil.copy(ROOT / "app.py", project)
    (project / "requirements.txt").write_text("")  # the layers bring what is needed
    (project / ".chalice").mkdir()
    _configure(project / ".chalice", settings)
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    merged = template(declare(not_connected(settings)), settings.names, runtime)
    (folder / "merge.json").write_text(json.dumps(merged, indent=2))
    return project


def _configure(folder: Path, settings: Settings) -> None:
    """The repository's .chalice/config.json with this stage's names and each function's policy."""
    config: dict[str, Any] = json.loads((ROOT / ".chalice" / "config.json").read_text())
    stage = config["stages"].setdefault(settings.stage, {})
    variables = {"LINKFLOW_FAMILY": "aws", "LINKFLOW_STAGE": settings.stage, "LINKFLOW_RESIDENT": "false"}
    stage["environment_variables"] = {**config.get("environment_variables", {}), **variables}
    functions = declare(not_connected(settings))
    http = [one for one in functions if isinstance(one.trigger, HttpRoutes)]
    groups = {"api_handler": http} | {one.name: [one] for one in functions if one not in http}
    for name, group in groups.items():
        (folder / f"policy-{name}.json").write_text(json.dumps(policy(group, settings.names)))
        own = stage.setdefault("lambda_functions", {}).setdefault(name, {})
        own |= {"autogen_policy": False, "iam_policy_file": f"policy-{name}.json"}
        if name in ISOLATED:
            own["environment_variables"] = {"LINKFLOW_SECRET": ""}
        own.setdefault("lambda_memory_size", max(one.memory for one in group))
    (folder / "config.json").write_text(json.dumps(config))


def _run_chalice(project: Path, stage: str, out: Path) -> None:
    """In a process of its own, since Chalice imports the app and changes directory."""
    environment = {
        **os.environ,  # noqa: TID251 (a child's)
        "AWS_DEFAULT_REGION": "us-east-1",
        "LINKFLOW_STAGE": stage,
        "LINKFLOW_FAMILY": "aws",
        "PYTHONPATH": os.pathsep.join([str(LIBRARY), str(project / "vendor")]),
    }
    merge = project.parent / "merge.json"
    command = ["package", "--stage", stage, "--merge-template", str(merge), str(out)]
    program = "import sys; from chalice.cli import main; sys.exit(main())"
    subprocess.run(  # noqa: S603 (our own arguments)
        [sys.executable, "-c", program, "--project-dir", str(project), *command], env=environment, check=True
    )


def _library_layer(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(LIBRARY / "linkflow", Path(folder) / "python" / "linkflow", ignore=_JUNK)
        shutil.make_archive(str(out / "linkflow-layer"), "zip", folder)


def _dependencies_layer(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "python"
        install = ["install", "--quiet", "--disable-pip-version-check", "--target", str(target), *_PLATFORM]
        command = [sys.executable, "-m", "pip", *install, "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)  # noqa: S603 (our own arguments)
        shutil.make_archive(str(out / "dependencies-layer"), "zip", folder)


def main() -> None:
    parser = argparse.ArgumentParser("scripts/package", description="Make the artefact for one stage.")
    parser.add_argument("stage", nargs="?", default="dev")
    parser.add_argument("out", nargs="?", type=Path, default=None, help="build/<stage> unless told")
    given = parser.parse_args()
    out = (given.out or ROOT / "build" / given.stage).resolve()
    package(given.stage, out)
    print(f"Packaged into {out}. Deploy it with: sam deploy --config-env {given.stage}")  # noqa: T201 (a program)


if __name__ == "__main__":
    main()
