"""The Table port on DynamoDB: one table, conditional puts, sparse indexes.

Hot calls go to the SDK's client directly; the table itself is declared in `model.py`. A failed condition brings the
winner's item back in the same call (`ReturnValuesOnConditionCheckFailure`).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from linkflow.adapters.aws.session import AwsSession, code_of
from linkflow.errors import ConditionFailed, TooLarge
from linkflow.ports import (
    Absent,
    Condition,
    Delete,
    Index,
    Item,
    Key,
    Page,
    Put,
    Queue,
    Range,
    Send,
    Unchanged,
    Write,
)

LARGEST_ITEM = 400 * 1024
_Attributes = dict[str, Any]


class DynamoTable:
    def __init__(self, session: AwsSession, table: str, queue: Queue) -> None:
        self._session = session
        self._table = table
        self._queue = queue

    async def get(self, key: Key) -> Item | None:
        found = await self._call("get_item", Key=_key(key), ConsistentRead=True)
        return _item(found["Item"]) if "Item" in found else None

    async def put(self, item: Item, when: Condition = None, sends: Sequence[Send] = ()) -> Item | None:
        if ahead := [message for message in sends if message.ahead]:
            await self._queue.send(ahead)
        try:
            await self._call(
                "put_item",
                Item=_attributes(item),
                **_condition(when),
                **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if when else {}),
            )
        except ClientError as error:
            return _lost(error)
        if behind := [message for message in sends if not message.ahead]:
            await self._queue.send(behind)
        return None

    async def query(self, what: Range) -> Page:
        pk, sk = ("pk", "sk") if what.index is None else (f"{what.index}_pk", f"{what.index}_sk")
        more: dict[str, Any] = {"ConsistentRead": True} if what.index is None else {"IndexName": what.index.value}
        if what.after is not None:
            more["ExclusiveStartKey"] = json.loads(base64.urlsafe_b64decode(what.after))
        answer = await self._call(
            "query",
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last",
            ExpressionAttributeNames={"#pk": pk, "#sk": sk},
            # A sort key is never empty, so the smallest there is stands for no bound.
            ExpressionAttributeValues={
                ":pk": {"S": what.pk},
                ":first": {"S": what.first or "\x00"},
                ":last": {"S": what.last},
            },
            ScanIndexForward=not what.reverse,
            Limit=what.limit,
            **more,
        )
        last = answer.get("LastEvaluatedKey")
        cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode() if last else None
        return Page([_item(one, indexed=what.index is not None) for one in answer["Items"]], cursor)

    async def delete(self, key: Key, when: Condition = None) -> None:
        try:
            await self._call("delete_item", Key=_key(key), **_condition(when))
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                raise ConditionFailed(f"{key.pk} {key.sk} is not as expected.") from error
            raise

    async def transact(self, writes: Sequence[Write]) -> None:
        try:
            await self._call("transact_write_items", TransactItems=[self._write(write) for write in writes])
        except ClientError as error:
            if code_of(error) == "TransactionCanceledException":
                raise ConditionFailed("One of the items is not as expected.") from error
            raise

    def _write(self, write: Write) -> dict[str, Any]:
        match write:
            case Put():
                return {"Put": {"TableName": self._table, "Item": _attributes(write.item), **_condition(write.when)}}
            case Delete():
                return {"Delete": {"TableName": self._table, "Key": _key(write.key), **_condition(write.when)}}

    async def _call(self, operation: str, **arguments: Any) -> Any:
        if operation != "transact_write_items":
            arguments["TableName"] = self._table
        return await self._session.call("dynamodb", operation, **arguments)


def _key(key: Key) -> _Attributes:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _attributes(item: Item) -> _Attributes:
    size = len(item.body) + len(item.payload or b"")
    if size > LARGEST_ITEM:
        raise TooLarge("An item", size, LARGEST_ITEM)
    attributes: _Attributes = {**_key(item.key), "b": {"B": item.body}, "v": {"N": str(item.version)}}
    if item.payload is not None:
        attributes["p"] = {"B": item.payload}
    if item.expires_at is not None:
        attributes["ttl"] = {"N": str(int(item.expires_at))}
    for index, key in item.indexes.items():
        attributes[f"{index}_pk"], attributes[f"{index}_sk"] = {"S": key.pk}, {"S": key.sk}
    return attributes


def _item(attributes: Mapping[str, Any], *, indexed: bool = False) -> Item:
    indexes = {
        index: Key(attributes[f"{index}_pk"]["S"], attributes[f"{index}_sk"]["S"])
        for index in Index
        if f"{index}_pk" in attributes
    }
    ttl = attributes.get("ttl")
    return Item(
        Key(attributes["pk"]["S"], attributes["sk"]["S"]),
        bytes(attributes["b"]["B"]),
        bytes(attributes["p"]["B"]) if "p" in attributes and not indexed else None,
        int(attributes["v"]["N"]),
        indexes,
        float(ttl["N"]) if ttl else None,
    )


def _condition(when: Condition) -> dict[str, Any]:
    match when:
        case None:
            return {}
        case Absent():
            return {"ConditionExpression": "attribute_not_exists(pk)"}
        case Unchanged(version=version):
            return {
                "ConditionExpression": "#v = :v",
                "ExpressionAttributeNames": {"#v": "v"},
                "ExpressionAttributeValues": {":v": {"N": str(version)}},
            }


def _lost(error: ClientError) -> Item:
    """The item that stands where ours should have gone."""
    if code_of(error) != "ConditionalCheckFailedException":
        raise error
    winner: Any = error.response.get("Item")
    if not winner:
        raise ConditionFailed("There is no item to be unchanged.") from error
    return _item(winner)
