"""Tokens and links: good for one task, one person and a time; and what stands for them where others may look."""

from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st

from linkflow.execution.events import Names
from linkflow.execution.state import State
from linkflow.execution.tokens import filled_in, link, proves, read_link, read_token, stand_in, task_token


def state(salt: str = "salt", execution: str = "ex_1") -> State:
    return State(workspace="ws_1", names=Names(execution, execution, "wf_1", "test"), salt=salt)


PERSONS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(PERSONS, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**11))
def test_a_link_says_whom_it_is_for_and_proves_it_for_its_own_execution_alone(
    person: str, scope: int, task: int, expires: int
) -> None:
    read = read_link(link(state(), "approval", scope, task, expires, person))
    assert read is not None
    assert (read.scope, read.task, read.person, read.expires) == (scope, task, person, expires)
    assert proves(read, state())
    assert not proves(read, state(salt="other"))
    assert not proves(read, state(execution="ex_2"))


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode(errors="ignore")))
def test_what_is_no_link_and_no_token_is_none(noise: bytes) -> None:
    text = noise.decode("latin-1")
    assert read_link(text) is None
    assert read_token(text) is None


def test_a_changed_link_proves_nothing() -> None:
    text = link(state(), "approval", 1, 2, 3, "ann")
    for position in range(len(text)):
        changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
        read = read_link(changed)
        assert read is None or not proves(read, state())


@given(PERSONS)
def test_what_stands_for_a_link_is_filled_in_wherever_it_is_even_if_it_was_encoded(person: str) -> None:
    standing = stand_in(state(), "approval", 1, 2, 3, person)
    real = link(state(), "approval", 1, 2, 3, person)
    told = {"text": f"Go to http://x/{standing}!", "list": [quote(f"http://x/{standing}", safe="")], "n": 7}
    filled = filled_in(told, state(), 1, 2)
    assert filled["text"] == f"Go to http://x/{real}!"
    assert unquote(filled["list"][0]) == f"http://x/{real}"
    assert filled["n"] == 7


def test_it_tells_nobody_the_link_and_is_filled_in_for_its_own_task_alone() -> None:
    standing = stand_in(state(), "token", 1, 2)
    assert filled_in(standing, state(), 1, 2) == task_token(state(), 1, 2)
    assert filled_in(standing, state(), 1, 3) == standing
    assert filled_in(standing, state(salt="other"), 1, 2) == standing
    forged = standing.replace("~token~", "~approval~")
    assert filled_in(forged, state(), 1, 2) == forged
    assert read_token(standing) is None
    assert read_link(standing) is None
