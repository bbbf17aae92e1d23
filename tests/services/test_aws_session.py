"""What AWS answers, as the house understands it."""

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from linkflow.adapters.aws.session import AwsSession, Place
from linkflow.errors import Throttled, Unreachable


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("ThrottlingException", 400, Throttled),
        ("InternalServerError", 500, Unreachable),
        ("ServiceUnavailable", 503, Unreachable),
        ("AccessDeniedException", 400, ClientError),
    ],
)
async def test_failures_of_a_service_itself_are_worth_another_try_and_refusals_are_not(
    code: str, status: int, meaning: type[Exception]
) -> None:
    session = AwsSession(Place("us-east-1", "http://127.0.0.1:1"))
    with Stubber(session.client("sqs")) as stubber:
        stubber.add_client_error("list_queues", code, http_status_code=status)
        with pytest.raises(meaning):
            await session.call("sqs", "list_queues")
    session.close()
