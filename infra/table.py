"""The single table; agrees with `linkflow.adapters.aws.model` (a test compares)."""

from typing import Any

from linkflow.ports import Index


def table(name: str) -> dict[str, Any]:
    keys = ["pk", "sk", *(f"{index}_{part}" for index in Index for part in ("pk", "sk"))]
    return {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
                "KeySchema": _schema("pk", "sk"),
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": index.value,
                        "KeySchema": _schema(f"{index}_pk", f"{index}_sk"),
                        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "v"]},
                    }
                    for index in Index
                ],
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            },
        }
    }


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]
