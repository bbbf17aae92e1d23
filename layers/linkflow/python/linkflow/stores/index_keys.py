"""By what items are found other than their own keys, and in which order: their keys in the indexes, and pointers.

An item is put with its keys in the indexes; only pointers are items of their own.

LISTING   EX#w, AX#w          executions by their start; those that were archived
          WF#w                workflows by their names
          KEY#w, SCH#w        API keys and schedules of a workspace
          AP#w#status         approvals by their moment
          DEAD                messages that were given up
          KEEP                workspaces that say how long executions are kept
DUE       DUE#shard           executions by the moment at which the watchdog looks after them
          SCHDUE#shard        schedules by their next moment
          LEASE#shard         leases by the moment at which they lapse
          CROWDED             limits that somebody waits for, by the moment at which their holders are looked after
FIND#w#term  <moment>#<e>     a pointer to an execution with that business key, tag or attribute (where no index knows
                              them)
"""

from linkflow.ports import Index, Key, Range
from linkflow.stores.keys import sortable, summary


def listed_executions(workspace: str) -> str:
    return f"EX#{workspace}"


def archived_executions(workspace: str) -> str:
    return f"AX#{workspace}"


def workspace_of(listed: str) -> str:
    """Of `listed_executions` or `archived_executions`."""
    return listed.partition("#")[2]


def listed_execution(started_at: float, execution: str) -> str:
    """Sorts by start; ids break ties."""
    return f"{sortable(started_at)}#{execution}"


def listed_between(partition: str, first: float | None, last: float | None) -> Range:
    """What started from `first` to `last`, in the index, or among the pointers of a term."""
    began = "" if first is None else sortable(first)
    ended = "\U0010ffff" if last is None else f"{sortable(last)}#~"
    return Range(partition, began, ended)


def pointers(workspace: str, term: str) -> str:
    return f"FIND#{workspace}#{term}"


def pointed_at(workspace: str, sk: str) -> Key:
    """The summary that a pointer's (or an index entry's) `sk` leads to."""
    return summary(workspace, sk.partition("#")[2])


def listed_workflows(workspace: str) -> str:
    return f"WF#{workspace}"


def workflows_named(workspace: str, name: str) -> Range:
    """Those whose names differ from this one by upper and lower case at most."""
    first = listed_workflow(name, "")
    return Range(listed_workflows(workspace), first, f"{first}~", index=Index.LISTING)


def listed_workflow(name: str, identifier: str) -> str:
    return f"{name.casefold()}#{identifier}"


def listed_api_keys(workspace: str) -> str:
    return f"KEY#{workspace}"


def listed_schedules(workspace: str) -> str:
    return f"SCH#{workspace}"


def listed_approvals(workspace: str, status: str) -> str:
    return f"AP#{workspace}#{status}"


def listed_approval(created_at: float, identifier: str) -> str:
    return f"{sortable(created_at)}#{identifier}"


def listed_retention(workspace: str) -> Key:
    return Key("KEEP", workspace)


def listed_retentions() -> Range:
    return Range("KEEP", index=Index.LISTING)


DUE_SHARDS = 4
"""Over so many partitions the watchdog's index is spread, so that none becomes hot; and the schedules' too."""


def schedules_due(shard: int) -> str:
    return f"SCHDUE#{shard}"


def due(shard: int) -> str:
    return f"DUE#{shard}"


def due_at(moment: float, workspace: str, execution: str) -> str:
    return f"{sortable(moment)}#{workspace}#{execution}"


def dead_letters() -> str:
    return "DEAD"


def died(moment: float, identifier: str) -> str:
    return f"{sortable(moment)}#{identifier}"


def crowded_limits() -> str:
    """Where limits stand that somebody waits for, by the moment at which their holders are looked after."""
    return "CROWDED"


def leases(shard: int) -> str:
    """Where leases stand by the moment at which they lapse."""
    return f"LEASE#{shard}"


def due_until(moment: float) -> str:
    return f"{sortable(moment)}#~"


def due_target(sk: str) -> tuple[str, str]:
    """Workspace and execution of an entry made by `due_at`."""
    _, workspace, execution = sk.split("#")
    return workspace, execution


def due_moment(sk: str) -> float:
    """The moment of an entry made by `due_at`, seconds."""
    return int(sk.partition("#")[0]) / 1000
