"""The API's own description: OpenAPI 3.1 at `/openapi.json`, a page to browse and try it at `/docs`.

Both are made once, when first asked for. The page carries the viewer (Swagger UI, shipped inside the library), so it
works without internet.
"""

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from aws_lambda_powertools.event_handler import HttpResolverLocal, Response
from aws_lambda_powertools.event_handler.openapi import swagger_ui
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBearer

from linkflow.runtime.calls import current_call
from linkflow.runtime.routes import Routes
from linkflow.runtime.searching import Filters

TITLE = "LinkFlow"
VERSION = "1"

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "request_id"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string", "description": "For people: what is wrong and what to do."},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "code", "message"],
                        "properties": {
                            "path": {"type": "string", "examples": ["$.body.nodes[2].config.url"]},
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                },
                "request_id": {"type": "string"},
            },
        }
    },
}
_FAILED = {
    "description": "The request could not be carried out.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


def document(resolver: HttpResolverLocal) -> Routes:
    """The two routes that describe everything on `resolver`."""
    routes = Routes()

    @lru_cache
    def described() -> str:
        return json.dumps(_described(resolver), ensure_ascii=False, separators=(",", ":"))

    @lru_cache
    def page() -> str:
        return _page(described())

    @lru_cache
    def compressed_page() -> bytes:
        return gzip.compress(page().encode())

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response[str]:
        return Response(200, "application/json", described())

    @routes.get("/docs", include_in_schema=False)
    async def docs() -> Response[Any]:
        if "gzip" not in current_call().headers.get("accept-encoding", ""):
            return Response(200, "text/html; charset=utf-8", page())
        return Response(200, "text/html; charset=utf-8", compressed_page(), {"Content-Encoding": "gzip"})

    return routes


def _described(resolver: HttpResolverLocal) -> dict[str, Any]:
    text = resolver.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        openapi_version="3.1.0",
        description="Durable workflow automation. Errors have one shape; ids are prefixed ULIDs; times are RFC 3339.",
        security_schemes={
            "bearer": HTTPBearer(bearerFormat="API key or access token"),
            "signature": APIKey(
                name="X-LinkFlow-Signature",
                **{"in": APIKeyIn.header},
                description="Hex HMAC-SHA256 of `X-LinkFlow-Timestamp` + `.` + body.",
            ),
        },
    )
    described: dict[str, Any] = json.loads(text)
    described["components"].setdefault("schemas", {})["Error"] = _ERROR
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    for operation in operations:
        operation["responses"]["default"] = _FAILED
        _tell_types(operation.get("parameters", []))
        _tell_need(operation.get("requestBody"), described["components"]["schemas"])
    described["tags"] = [{"name": tag} for tag in sorted({t for o in operations for t in o.get("tags", ())})]
    return described


def _tell_need(body: dict[str, Any] | None, schemas: Mapping[str, Any]) -> None:
    """A body that asks for nothing may be absent."""
    reference = (body or {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = schemas.get(reference.rpartition("/")[2])
    if body is not None and schema is not None:
        body["required"] = bool(schema.get("required"))


def _tell_types(parameters: list[dict[str, Any]]) -> None:
    """The library tells every parameter of a schema that is taken together as a text; the filters know better."""
    types = Filters.model_json_schema()["properties"]
    if types.keys() <= {one["name"] for one in parameters}:
        for one in parameters:
            told = types.get(one["name"])
            if told is not None:
                one["schema"] = next(iter(told.get("anyOf", ())), told)


def _page(described: str) -> str:
    assets = resources.files(swagger_ui)
    return swagger_ui.generate_swagger_html(
        spec=described.replace("</", "<\\/"),
        swagger_js=assets.joinpath("swagger-ui-bundle.min.js").read_text("utf-8"),
        swagger_css=assets.joinpath("swagger-ui.min.css").read_text("utf-8"),
        swagger_base_url="",
        oauth2_config=None,
        persist_authorization=True,
    )
