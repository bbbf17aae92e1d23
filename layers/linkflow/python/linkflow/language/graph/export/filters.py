"""The filter of a wait as the States Language writes it: plain JSONata beside the values that it mentions."""

from linkflow.language.graph.export.expressions import rendered
from linkflow.language.graph.export.port import Port
from linkflow.language.graph.template import sole_expression
from linkflow.language.graph.words import roots
from linkflow.language.json import Json


def with_filter(port: Port, state: dict[str, Json], resource: str) -> dict[str, Json]:
    """The Task `state`, which waits by `resource`, with the filter of its node. Only LinkFlow knows how to wait so."""
    if not port.resource.startswith("linkflow:"):
        port.warn("other_service", f"Step Functions has no '{resource}': have a '.waitForTaskToken' Task wait instead.")
    given = {name: rendered(value) for name, value in port.node.config.items() if name != "filter"}
    condition = sole_expression(port.node.config.get("filter"))
    if condition is not None:
        about = {root: rendered(f"{{{{ {root} }}}}") for root in sorted(roots(condition))}
        given |= {"filter": condition, "with": about}
    return {**state, "Arguments": given}
