"""The States Language on the core, where no recording says it: what holds for any order, any repetition, any failure.

What Step Functions answers to particular definitions is in tests/conformance.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkflow.execution.advance import accepts
from linkflow.execution.commands import RunTask
from linkflow.execution.events import News, TaskFailed, TaskHeartbeat, TaskSubmitted, TaskSucceeded
from linkflow.execution.history import history
from linkflow.execution.inspect import Given, find, inspect
from linkflow.execution.limits import LARGEST_VALUE, LONGEST_CAUSE
from linkflow.execution.state import Failure
from linkflow.execution.tokens import proves, read_token
from linkflow.language.asl import compile_asl
from linkflow.language.asl.choices import matches
from linkflow.language.handlers import LONGEST_PAUSE, Retrier
from tests.unit.asl_runs import LAMBDA, distributed, machine, task
from tests.unit.driver import Run, fails, gives, succeed

# ---------------------------------------------------------------- data


def test_a_variable_is_seen_from_the_next_state_on() -> None:
    """Given an Assign; then the state's own OutputPath reads what the variable was before."""
    run = machine(
        First={"Type": "Pass", "Assign": {"x": 1}},
        Second={"Type": "Pass", "Assign": {"x": 2}, "Parameters": {"before.$": "$x"}},
        Third={"Type": "Pass", "Parameters": {"before.$": "$.before", "after.$": "$x"}},
    ).start({})
    assert run.state.output == {"before": 1, "after": 2}


def test_iterations_of_a_distributed_map_see_no_variables_of_outside() -> None:
    run = machine(language="JSONata", Set={"Type": "Pass", "Assign": {"x": 1}}, Each=distributed()).start([1])
    child = next(scope for scope in run.state.scopes.values() if scope.parent is not None)
    assert child.history == child.id
    assert run.state.scopes[0].variables == {"x": 1}
    assert child.variables == {}


def test_an_expression_that_fails_is_caught_like_any_other_failure() -> None:
    run = machine(
        language="JSONata",
        Work=task(Output="{% $nowhere %}", Catch=[{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Mend"}]),
        Mend={"Type": "Pass", "Output": "{% $states.input.Error %}"},
    )
    assert run.start({}).finish().state.output == "States.QueryEvaluationError"


def test_the_word_all_does_not_catch_what_the_definition_itself_is_at_fault_for() -> None:
    broken = task(Parameters={"x.$": "$.nowhere"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Mend"}])
    run = machine(Work=broken, Mend={"Type": "Pass"}).start({})
    assert run.state.failure is not None
    assert run.state.failure.error == "States.Runtime"
    named = {**broken, "Catch": [{"ErrorEquals": ["States.Runtime"], "Next": "Mend"}]}
    assert machine(Work=named, Mend={"Type": "Pass"}).start({}).state.status == "succeeded"


def test_a_result_beyond_the_limit_fails_its_task() -> None:
    run = machine(Work=task()).start({}).finish(gives("x" * LARGEST_VALUE))
    assert run.state.failure is not None
    assert run.state.failure.error == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [("a*c", "abc", True), ("a*c", "ab", False), (r"a\*c", "a*c", True), (r"a\*c", "abc", False), ("*", "", True)],
)
def test_a_star_in_a_pattern_matches_anything_unless_escaped(pattern: str, text: str, holds: bool) -> None:
    rule = {"Variable": "$", "StringMatches": pattern, "Next": "Yes"}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "No"}
    run = machine(Ask=choice, Yes={"Type": "Pass", "Result": True, "End": True}, No={"Type": "Pass", "Result": False})
    assert run.start(text).state.output is holds


def test_half_a_character_never_reaches_the_book() -> None:
    """Given an expression that makes an unpaired surrogate, which no JSON can carry; then its state fails."""
    run = machine(language="JSONata", Break={"Type": "Pass", "Output": r'{% "\ud800" %}'}).start({})
    assert run.state.status == "failed"
    assert run.state.failure is not None
    made = machine(Break={"Type": "Pass", "Parameters": {"x.$": "States.StringToJson($)"}}).start(r'"\ud800"')
    assert made.state.status == "failed"


@given(pattern=st.text("ab*", max_size=8), text=st.text("ab", max_size=8))
def test_patterns_match_as_their_plainest_reading_says(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert matches(text, pattern) is expected


def test_a_cause_has_an_end() -> None:
    run = machine(Break={"Type": "Pass", "Parameters": {"x.$": "$.nowhere"}}).start({"a": "x" * 100_000})
    assert run.state.failure is not None
    assert len(run.state.failure.cause or "") == LONGEST_CAUSE


# ---------------------------------------------------------------- failures and time


def test_a_loop_without_an_end_ends() -> None:
    """Given states that go round and wait for nothing; then the execution fails instead of its turn never ending."""
    run = machine(Round={"Type": "Wait", "Seconds": 0}, Again={"Type": "Pass", "Next": "Round"}).start({})
    assert run.state.failure is not None
    assert run.state.failure.error == "States.Runtime"


def test_a_wait_for_a_moment_that_has_passed_takes_no_turn() -> None:
    run = machine(Past={"Type": "Wait", "Timestamp": "1970-01-01T00:00:01Z"}).start({})
    assert run.state.status == "succeeded"


def test_pauses_stay_finite_however_often_a_task_fails() -> None:
    assert Retrier(("States.ALL",), max_attempts=10**8).pause(10**7, 0.5) == LONGEST_PAUSE


@given(failures=st.integers(0, 5), allowed=st.integers(0, 3))
def test_a_task_is_tried_as_often_as_its_retrier_allows(failures: int, allowed: int) -> None:
    run = machine(Work=task(Retry=[{"ErrorEquals": ["Oops"], "MaxAttempts": allowed}])).start(0)
    attempts: list[int] = []

    def answer(owed: RunTask) -> News:
        attempts.append(owed.attempt)
        return fails("Oops")(owed) if owed.attempt <= failures else succeed(owed)

    run.finish(answer)
    assert run.state.status == ("succeeded" if failures <= allowed else "failed")
    assert attempts == list(range(1, min(failures, allowed) + 2))


def test_a_sign_of_life_moves_the_moment_of_the_next() -> None:
    run = machine(Work=task(Resource=f"{LAMBDA}.waitForTaskToken", HeartbeatSeconds=10)).start({})
    owed = run.owed()[0]
    run.tell(TaskSubmitted(owed.scope, owed.task, {}))
    run.later(run.now + 9)
    run.tell(TaskHeartbeat(owed.scope, owed.task))
    run.later(run.now + 9)
    assert run.state.status == "running"
    run.later()
    assert run.state.failure == Failure("States.Timeout", None, node="Work")


def test_a_missed_sign_of_life_is_caught_by_its_own_name() -> None:
    rule = {"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Mend"}
    run = machine(
        Work=task(Resource=f"{LAMBDA}.waitForTaskToken", HeartbeatSeconds=1, Catch=[rule]), Mend={"Type": "Pass"}
    ).start({})
    assert run.later().state.output == {"Error": "States.Timeout", "Cause": ""}


def test_a_token_names_one_task_of_one_execution() -> None:
    """Given a task whose arguments hold its token; then the task that is owed is ended by that same token."""
    run = machine(
        Work=task(Resource=f"{LAMBDA}.waitForTaskToken", Parameters={"token.$": "$$.Task.Token"}),
    ).start({})
    owed = run.owed()[0]
    assert owed.arguments == {"token": owed.token}
    token = read_token(owed.token or "")
    assert token is not None
    assert (token.scope, token.task) == (owed.scope, owed.task)
    assert proves(token, run.state)
    run.state.salt = "another"
    assert not proves(token, run.state)


@given(text=st.text())
def test_no_text_breaks_the_reading_of_tokens(text: str) -> None:
    assert read_token(text) is None


def test_a_request_is_told_of_once_however_often_it_is_reported() -> None:
    run = machine(Work=task(Resource=f"{LAMBDA}.sync")).start({})
    owed = run.owed()[0]
    run.tell(*[TaskSubmitted(owed.scope, owed.task, {})] * 2).tell(TaskSubmitted(owed.scope, owed.task, {}))
    assert [event.type for event in history(run.program, run.book)].count("TaskSubmitted") == 1


def test_siblings_of_what_failed_are_given_up_once() -> None:
    """Given many branches that fail at the same moment; then one failure counts, and late news means nothing."""
    branch = {"StartAt": "W", "States": {"W": {**task(TimeoutSeconds=5), "End": True}}}
    run = machine(Fan={"Type": "Parallel", "Branches": [branch] * 3}).start({})
    owed = run.owed()
    run.later()
    assert run.state.failure == Failure("States.Timeout", None, node="W", path="Fan/0")
    assert [one for one in owed if accepts(run.state, TaskSucceeded(one.scope, one.task, 1))] == []


# ---------------------------------------------------------------- histories


def test_an_iteration_of_a_distributed_map_has_a_history_of_its_own() -> None:
    run = machine(Each=distributed()).start([1, 2])
    child = run.owed()[0].scope
    run.finish()
    assert [event.type for event in history(run.program, run.book, child)] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
    ]


@given(failing=st.sets(st.integers(0, 3)))
def test_a_cause_names_the_event_by_its_id_in_the_history(failing: set[int]) -> None:
    """Given a state that fails somewhere in a Map; then the id in its cause is that of its entry."""
    chosen = {"Variable": "$", "NumericEquals": min(failing, default=-1), "Next": "Broken"}
    states = {
        "Ask": {"Type": "Choice", "Choices": [chosen], "Default": "Work"},
        "Work": {**task(), "End": True},
        "Broken": {"Type": "Pass", "InputPath": "$.nowhere", "End": True},
    }
    run = machine(Each={"Type": "Map", "ItemProcessor": {"StartAt": "Ask", "States": states}}).start(list(range(4)))
    run.finish()
    entered = [event for event in history(run.program, run.book) if event.details.get("name") == "Broken"]
    if failing:
        assert run.state.failure is not None
        assert f"(entered at the event id #{entered[0].id})" in (run.state.failure.cause or "")
    else:
        assert run.state.status == "succeeded"


# ---------------------------------------------------------------- one state under test


def test_a_state_under_test_shapes_data_as_it_would_in_an_execution() -> None:
    state = {
        "Type": "Task",
        "Resource": LAMBDA,
        "InputPath": "$.in",
        "Parameters": {"p.$": "$.a"},
        "ResultSelector": {"s.$": "$.r"},
        "ResultPath": "$.out",
        "OutputPath": "$.out",
        "End": True,
    }
    program = compile_asl({"StartAt": "S", "States": {"S": state}})
    box = find(program, "S")
    assert box is not None
    value = {"in": {"a": 1}}
    tested = inspect(box, Given(value, result={"r": 2}))
    assert tested.output == Run(program).start(value).finish(gives({"r": 2})).state.output == {"s": 2}
    assert tested.data["afterParameters"] == {"p": 1}


def test_a_state_under_test_never_raises() -> None:
    program = compile_asl({"StartAt": "S", "States": {"S": {"Type": "Pass", "InputPath": "$.nowhere", "End": True}}})
    box = find(program, "S")
    assert box is not None
    assert inspect(box, Given({})).error == "States.Runtime"


def test_a_task_may_fail_without_saying_why() -> None:
    """What was not said is null for whoever catches it (recorded)."""
    run = machine(Work=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Mend"}]), Mend={"Type": "Pass"}).start({})
    assert run.finish(lambda owed: TaskFailed(owed.scope, owed.task, None)).state.output == {
        "Error": None,
        "Cause": None,
    }
