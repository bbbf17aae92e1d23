"""Is this a definition in the Amazon States Language, and what is wrong with it? All at once, in AWS's words and ours.

The specification (states-language.net) and the developer guide are the rules; the recorded answers of Step Functions
decide where they are silent.

    problem       what is reported, where, and how CreateStateMachine words it
    scope         what a check knows of its surroundings
    values        what one field may hold            fields       which fields an object may have
    expressions   paths, intrinsics, JSONata         variables    who assigns and reads them
    states        the eight types                    choices, handlers, maps, resources: their parts
    transitions   targets, reachability, an end      machine      the walk over it all
    test_state    a TestState request                mocks        the results it pretends to have
"""

from linkflow.language.asl_check.machine import check_asl, variable_references
from linkflow.language.asl_check.problem import Problem, errors, refusal
from linkflow.language.asl_check.text import check_asl_text

__all__ = ["Problem", "check_asl", "check_asl_text", "errors", "refusal", "variable_references"]
