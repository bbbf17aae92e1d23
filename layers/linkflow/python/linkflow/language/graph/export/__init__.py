"""A graph as a plain document of the Amazon States Language, so that a workflow can move to Step Functions.

    facts        what goes in besides the graph, and what comes out
    expressions  `{{ … }}` as `{% … %}`          words     what an expression's text mentions
    liveness     which nodes run and when, and which stand side by side
    port         what a node type is given to write its states
    states       one node's states               machine   a level after another, for a graph or a body
    document     the whole

Every level of the graph is a Parallel state with one branch per node. The machine remembers in `$nodes` what nodes gave
and in `$exits` by which exit they were left, null where a node was skipped; `$trigger` is what it started with.
Step Functions lets a state hand on 262,144 bytes; a graph has no such limit.
"""

from linkflow.language.graph.export.document import export_asl
from linkflow.language.graph.export.facts import Exportable, Exported, Facts

__all__ = ["Exportable", "Exported", "Facts", "export_asl"]
