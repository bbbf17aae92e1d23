"""Settings and logs: read once, told plainly, and silent about secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from linkflow.errors import Invalid
from linkflow.runtime.settings import Settings, from_environment
from linkflow.runtime.telemetry import MASKED, start_logging


def test_without_an_environment_everything_has_a_value() -> None:
    assert from_environment({}) == Settings()


def test_the_environment_decides() -> None:
    settings = from_environment(
        {
            "LINKFLOW_FAMILY": "aws",
            "LINKFLOW_PORT": "9000",
            "LINKFLOW_ALLOW_HOSTS": "localhost, 10.0.0.0/8,",
            "LINKFLOW_ENDPOINT_URL": "",
            "HOME": "/nowhere",
        }
    )
    assert (settings.family, settings.port, settings.endpoint_url) == ("aws", 9000, None)
    assert settings.allow_hosts == ("localhost", "10.0.0.0/8")


def test_a_variable_of_the_client_is_no_fault() -> None:
    assert from_environment({"LINKFLOW_API_KEY": "lf_x"}) == Settings()


def test_every_wrong_variable_is_named_and_no_value_repeated() -> None:
    with pytest.raises(Invalid) as refused:
        from_environment({"LINKFLOW_PORT": "many", "LINKFLOW_FAMILY": "oracle", "LINKFLOW_STAGE": "ok"})
    assert {fault.path for fault in refused.value.details} == {"LINKFLOW_PORT", "LINKFLOW_FAMILY"}
    assert "oracle" not in " ".join(fault.message for fault in refused.value.details)


def test_a_secret_is_never_printed() -> None:
    settings = from_environment({"LINKFLOW_SECRET": "hunter2"})
    assert settings.secret.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings) + str(settings)


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("linkflow").level)
    stream = io.StringIO()
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("linkflow").setLevel(before[2])


def test_a_log_line_is_one_json_object_with_its_keys(stream: io.StringIO) -> None:
    start_logging("info", stream)
    logging.getLogger("linkflow.engine").info("turn", extra={"workspace": "ws_1", "turn": 7})
    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    told = (line["message"], line["level"], line["logger"], line["workspace"], line["turn"])
    assert told == ("turn", "info", "linkflow.engine", "ws_1", 7)


def test_secrets_are_masked_wherever_they_stand(stream: io.StringIO) -> None:
    start_logging("info", stream)
    headers = {"Authorization": "Bearer hunter2", "Accept": "*/*", "inner": {"api_key": "hunter2"}}
    logging.getLogger("linkflow").info("call", extra={"headers": headers, "password": "hunter2"})
    line = json.loads(stream.getvalue())
    assert "hunter2" not in stream.getvalue()
    assert (line["password"], line["headers"]["Authorization"], line["headers"]["Accept"]) == (MASKED, MASKED, "*/*")


def test_an_exception_is_one_line_too(stream: io.StringIO) -> None:
    start_logging("info", stream)
    logging.getLogger("linkflow").error("broken", exc_info=RuntimeError("no\npen"))
    line = json.loads(stream.getvalue())
    assert line["error"] == "RuntimeError"
    assert "no\npen" in line["traceback"]


def test_below_the_level_and_from_libraries_nothing_is_said(stream: io.StringIO) -> None:
    start_logging("warning", stream)
    logging.getLogger("linkflow").info("turn")
    logging.getLogger("httpx").info("request")
    assert stream.getvalue() == ""
