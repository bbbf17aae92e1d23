"""What the first screen says: where LinkFlow is, the key (once), and what to try next."""

from linkflow.runtime.settings import Settings

_TRY = """\
Try this:

  export KEY={key}
  curl -s {address}/api/v1/workflows -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{{
    "name": "hello",
    "definition": {{
      "nodes": [{{"id": "start", "type": "manual"}},
                {{"id": "greet", "type": "set", "config": {{"values": {{"text": "Hello, {{{{ trigger.name }}}}!"}}}}}}],
      "edges": [{{"source": "start", "target": "greet"}}]}}}}'

  curl -s '{address}/api/v1/workflows/<id>/execute?wait=5' -H "Authorization: Bearer $KEY" \\
    -H 'Content-Type: application/json' -d '{{"input": {{"name": "world"}}}}'
"""


def welcome(address: str, settings: Settings, key: str | None, workspace: str) -> str:
    """`key` is None when it was printed at an earlier start."""
    where = f"data in {settings.data}" if settings.family == "sqlite" else f"on {settings.endpoint_url or 'AWS'}"
    lines = [f"LinkFlow is at {address} ({where}). The API: {address}/docs", f"Workspace: {workspace}", ""]
    if key is not None:
        lines += [f"Your API key, shown only now: {key}", ""]
    lines.append(_TRY.format(address=address, key=key or "<your API key; --new-key prints another>"))
    return "\n".join(lines)
