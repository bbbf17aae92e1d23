"""What AWS services answer, by the models that come with the SDK: for comparing mocked results with them.

The SDK is part of the AWS family only, so its models may not be at hand; and a Resource names some services otherwise
than the SDK does. Such a result is not compared.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from linkflow.language.asl_check.mocks import Model

_NAMES: Final[Mapping[str, str]] = {
    "states": "stepfunctions",
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "emrcontainers": "emr-containers",
    "emrserverless": "emr-serverless",
    "bedrockruntime": "bedrock-runtime",
}


@lru_cache(maxsize=8)
def model_of(service: str, operation: str) -> Model | None:
    """The model of an operation as a Resource names it (`dynamodb`, `putItem`); None: not at hand."""
    try:
        from botocore.exceptions import DataNotFoundError  # noqa: PLC0415 (there without the AWS family too)
        from botocore.loaders import Loader  # noqa: PLC0415 (same)
    except ImportError:
        return None
    try:
        document = Loader().load_service_model(_NAMES.get(service, service), "service-2")
    except DataNotFoundError:
        return None
    known = document["operations"].get(operation[:1].upper() + operation[1:])
    return Model(known["output"]["shape"], document["shapes"]) if known and "output" in known else None
