"""The artefact for AWS, unpacked: a bare interpreter with nothing else handles a request, a batch and a schedule."""

import json
import os
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.package import package
from infra.table import table as table_resource
from linkflow.adapters.aws.model import model
from linkflow.adapters.aws.resources import make
from linkflow.adapters.aws.session import AwsSession, Place
from linkflow.adapters.clock import SystemClock
from linkflow.adapters.ids import SystemIds
from linkflow.messages import LANE, QUEUES
from linkflow.runtime.emulators import moto
from linkflow.runtime.settings import Settings
from linkflow.runtime.wiring import connect
from linkflow.stores.accounts import Accounts
from tests.unit.graphs import graph, node

BROUGHT_BY_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
SCHEDULED = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}
BARE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import app
for name, event in json.load(sys.stdin):
    class context: aws_request_id = "r"
    print(json.dumps(getattr(app, name)(event, context)), flush=True)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Lambda would lay things: /var/task, and /opt with what the layers hold."""
    built, place = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("lambda")
    package("e2e", built)
    for archive, folder in (("deployment", "task"), ("linkflow-layer", "opt"), ("dependencies-layer", "opt")):
        with zipfile.ZipFile(built / f"{archive}.zip") as content:
            content.extractall(place / folder)
    (place / "template.json").write_text((built / "sam.json").read_text())
    runtime = place / "runtime"
    runtime.mkdir()
    site = Path(boto3.__file__).parent.parent
    for name in BROUGHT_BY_LAMBDA:
        (runtime / name).symlink_to(site / name)
    return place


@pytest.fixture
def emulator() -> Iterator[str]:
    with moto() as endpoint:
        yield endpoint


def invoke(place: Path, variables: dict[str, str], *events: tuple[str, Any]) -> list[Any]:
    """What the functions answer, one after the other, in one process that sees the artefact alone."""
    paths = [str(place / "task"), str(place / "opt" / "python"), str(place / "runtime")]
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-I", "-S", "-c", BARE, json.dumps(paths)],
        input=json.dumps(events),
        env={"PATH": os.environ["PATH"], **variables},  # noqa: TID251 (a child's)
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "null"))]


def request(method: str, path: str, resource: str, key: str = "", body: Any = None) -> dict[str, Any]:
    """A REST proxy event."""
    pairs = zip(resource.split("/"), path.split("/"), strict=True)
    parameters = {name[1:-1]: value for name, value in pairs if name.startswith("{")}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": path,
            "requestId": "r",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


async def test_the_artefact_alone_answers_a_request_a_batch_and_a_schedule(unpacked: Path, emulator: str) -> None:
    stage = f"e{secrets.token_hex(3)}"
    settings = Settings(family="aws", stage=stage, endpoint_url=emulator)
    place = Place("us-east-1", emulator)
    session = AwsSession(place)
    await make(session, place, settings.names, settings.names, QUEUES, settings.names, f"alias/{settings.names}")
    session.close()
    world = await connect(settings)
    key = await Accounts(world.table).first_start(SystemClock(), SystemIds(SystemClock()))
    assert key
    variables = {
        "LINKFLOW_FAMILY": "aws",
        "LINKFLOW_STAGE": stage,
        "LINKFLOW_RESIDENT": "false",
        "LINKFLOW_VISIT_SECONDS": "840",
        "AWS_ENDPOINT_URL": emulator,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    drawn = {
        "name": "packed",
        "definition": graph([node("start", "manual"), node("a"), node("b")], "start -> a", "a -> b"),
    }
    workflows = "/api/v1/workflows"
    health, created, refused = invoke(
        unpacked,
        variables,
        ("app", request("GET", "/health", "/health")),
        ("app", request("POST", workflows, workflows, key, drawn)),
        ("app", request("POST", workflows, workflows, "wrong", drawn)),
    )
    assert [health["statusCode"], created["statusCode"], refused["statusCode"]] == [200, 201, 401]

    workflow = json.loads(created["body"])["id"]
    execute = request(
        "POST", f"{workflows}/{workflow}/execute", f"{workflows}/{{workflow_id}}/execute", key, {"input": 1}
    )
    (started,) = invoke(unpacked, variables, ("app", execute))
    identifier = json.loads(started["body"])["id"]

    (message,) = await world.queue.receive(LANE.name)
    record: dict[str, Any] = {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body.decode(),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": message.group},
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{settings.names}-lane.fifo",
    }
    broken = {
        **record,
        "messageId": "broken",
        "body": "{",
        "attributes": {**record["attributes"], "MessageGroupId": "x"},
    }
    batch, ticked = invoke(
        unpacked, variables, ("history_lane", {"Records": [record, broken]}), ("timer_watch", SCHEDULED)
    )
    assert batch == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    assert ticked is None

    path = f"/api/v1/executions/{identifier}"
    (seen,) = invoke(unpacked, variables, ("app", request("GET", path, "/api/v1/executions/{execution_id}", key)))
    assert json.loads(seen["body"])["status"] == "succeeded"
    await world.close()


def test_the_template_feeds_queues_by_record_and_gives_each_function_its_own_policy(unpacked: Path) -> None:
    resources = json.loads((unpacked / "template.json").read_text())["Resources"]
    source = resources["HistoryLane"]["Properties"]["Events"]["HistoryLaneSqsEventSource"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    policies = {
        name: json.dumps(resource["Properties"]["Policies"])
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert "dynamodb" in policies["WorkerTasksRole"]
    isolated = resources["WorkerIsolatedRole"]["Properties"]["Policies"]
    allowed = [rule for one in isolated for rule in one["PolicyDocument"]["Statement"] if "logs" not in str(rule)]
    assert [(rule["Action"], rule["Resource"]) for rule in allowed if "sqs:SendMessage" in rule["Action"]] == [
        (["sqs:SendMessage", "sqs:GetQueueUrl"], ["arn:*:sqs:*:*:linkflow-e2e-outcomes"])
    ]
    assert all(action.startswith("sqs:") for rule in allowed for action in rule["Action"])
    assert "sqs:ReceiveMessage" not in policies["ApiHandlerRole"]
    assert all('"*"' not in text.replace('"Version"', "") for text in policies.values())


def test_the_tables_declarations_agree() -> None:
    resource = table_resource("t")["Table"]["Properties"]
    declared = model("t", Place("us-east-1"))
    indexes = {index.Meta.index_name for index in declared._indexes.values()}
    assert {index["IndexName"] for index in resource["GlobalSecondaryIndexes"]} == indexes


def test_the_layer_holds_what_pyproject_asks_for() -> None:
    import tomllib  # noqa: PLC0415 (only here)

    root = Path(__file__).parents[2]
    asked = set(tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"])
    lines = (root / "layers" / "dependencies" / "requirements.txt").read_text().splitlines()
    layered = {line for line in lines if line and not line.startswith("#")}
    assert layered <= asked
    not_on_lambda = {one.split(">")[0].split(";")[0] for one in asked - layered}
    assert not_on_lambda == {"uvicorn", "httptools", "uvloop", "typer", "rich"}
