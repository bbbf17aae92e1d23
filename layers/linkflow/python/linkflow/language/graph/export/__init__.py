"""A graph as a plain document of the Amazon States Language, so that a workflow can move to Step Functions.

    facts        what goes in besides the graph, and what comes out
    expressions  `{{ … }}` as `{% … %}`          documents  what they start from
    liveness     which nodes run and when, and which stand side by side
    port         what a node type is given to write its states
    comparisons, merges, containers              what some of them write
    desk         what all nodes share            states     one node's states
    machine      level after level, of a graph or of one inside a node
    document     the whole

Every level of the graph is a Parallel state with one branch per node. The machine remembers in `$nodes` what nodes gave
and in `$exits` by which exit they were left, null where a node was skipped; `$trigger` is what it started with.
Step Functions lets a state hand on 262,144 bytes; a graph has no such limit. `$random()` and `$uuid()` give others, and
a number inside a text is written with 15 digits at most.
"""

from linkflow.language.graph.export.document import export_asl
from linkflow.language.graph.export.facts import Exportable, Exported, Facts

__all__ = ["Exportable", "Exported", "Facts", "export_asl"]
