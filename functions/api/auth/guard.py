"""Who calls the API: the holder of a key, who acts in the key's workspace."""

from linkflow.errors import Unauthenticated
from linkflow.runtime.calls import Call, current_call
from linkflow.runtime.routes import Guard
from linkflow.runtime.wiring import World
from linkflow.stores.accounts import Accounts
from linkflow.stores.records import ApiKey

_SCHEME = "bearer "


def key_guard(world: World) -> Guard:
    """Lets in whoever sends `Authorization: Bearer <key>`; raises `Unauthenticated` for all others."""

    async def guard(call: Call) -> ApiKey:
        header = call.headers.get("authorization", "")
        if not header.lower().startswith(_SCHEME):
            raise Unauthenticated
        key = await Accounts(world.table).find(header[len(_SCHEME) :].strip())
        if key is None:
            raise Unauthenticated
        return key

    return guard


def caller() -> ApiKey:
    """The key of the call being answered."""
    key = current_call().caller
    if not isinstance(key, ApiKey):
        raise Unauthenticated
    return key
