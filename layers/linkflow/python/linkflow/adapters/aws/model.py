"""The single table as PynamoDB declares it: what it is made from on an emulator, and what `infra/` must agree with.

`b` (body) travels with every index, `p` (payload) with none; `v` counts writes; `ttl` lets the table drop an item.
"""

from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from linkflow.adapters.aws.session import Place
from linkflow.ports import Index


class Listing(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = Index.LISTING.value
        projection = IncludeProjection(["b", "v"])

    listing_pk = UnicodeAttribute(hash_key=True)
    listing_sk = UnicodeAttribute(range_key=True)


class Due(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = Index.DUE.value
        projection = IncludeProjection(["b", "v"])

    due_pk = UnicodeAttribute(hash_key=True)
    due_sk = UnicodeAttribute(range_key=True)


def model(table: str, place: Place) -> type[Model]:
    """The model of one table in one place. PynamoDB binds a model to its table by class, so each gets a class."""

    class Record(Model):
        class Meta:
            table_name = table
            region = place.region
            host = place.endpoint_url
            billing_mode = "PAY_PER_REQUEST"
            aws_access_key_id = "local" if place.endpoint_url else None
            aws_secret_access_key = "local" if place.endpoint_url else None

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        b = BinaryAttribute(legacy_encoding=False)
        p = BinaryAttribute(legacy_encoding=False, null=True)
        v = NumberAttribute()
        ttl = NumberAttribute(null=True)
        listing_pk = UnicodeAttribute(null=True)
        listing_sk = UnicodeAttribute(null=True)
        due_pk = UnicodeAttribute(null=True)
        due_sk = UnicodeAttribute(null=True)
        listing = Listing()
        due = Due()

    return Record
