"""Every key of the table, one line each; nobody else writes a `#` but `index_keys.py`.

EXEC#w#e     SUMMARY            the summary; its payload is the book's opening (turn 0)
             TURN#00000001 …    the turns behind it, in order
WF#w#id      META, V#00000001   a workflow and its versions
SCH#w#id     SCHEDULE, STANDING  a schedule as people made it, and where it stands
HOOK#token   HOOK               where a webhook leads
KEY#hash     KEY                an API key, found by the hash of its text
FILE#w       <bucket>           that there is such a bucket
FILE#w#b     <key>              a file in a bucket of the workspace
CLAIM#w#id   <business key>     which open execution of a workflow has that key for itself
IDEM#w#key   IDEM               what a repeated request was answered with
BEGUN#w#ex   task               which message has a task that must not run twice
RATE#name    <period>           how often it happened in that period
TASKS#w#q    <rank>#<execution>#<task>   a task that remote workers may lease, the most urgent first
SETTINGS     SETTINGS           the installation's controls
PULSE        PULSE              when the timer last swept
CALLBACK#w   <id>               whom to tell of executions
DELIVERY#w#c <id>               one telling of callback c, and how it went
LIMIT#w#name SLOTS, RATE, WAIT#<rank>#<e>   who holds a limit's slots, what of its rate is spent, who waits
OPERATION#w  <id>               something done to many at once, and how far it came
DEAD#id      LETTER             a message that was given up
APPROVAL#w   <id>               what people are asked, and what they said
EVENT#w#type <who waits>        a subscription to events of that type
EVENTID#w#…  EVENT              that an event was published
KEEP#w       RETENTION, BATCH#<moment>-<name>   how long executions are kept; what left the table together
RULES#w      <name>             what a workspace says of a host, a credential, a task queue, a node type
INSTALLATION OWNER              the first owner, made once
WORKSPACES   <w>                a workspace that has, or had, workflows
"""

from urllib.parse import quote, unquote

from linkflow.ports import Key, Range

SUMMARY = "SUMMARY"
_TURN = "TURN#"
_LAST_TURN = f"{_TURN}~"


def inhabited(workspace: str) -> Key:
    return Key("WORKSPACES", workspace)


def beside(key: Key, limit: int = 100) -> Range:
    """Everything of the partition that the key is in."""
    return Range(key.pk, limit=limit)


def newest_first(key: Key, limit: int, after: str | None) -> Range:
    """The same for things named by ids, which sort by their moment."""
    return Range(key.pk, reverse=True, limit=limit, after=after)


def summary(workspace: str, execution: str) -> Key:
    return Key(f"EXEC#{workspace}#{execution}", SUMMARY)


def turn(workspace: str, execution: str, number: int) -> Key:
    return Key(f"EXEC#{workspace}#{execution}", f"{_TURN}{number:08d}")


def turn_number(key: Key) -> int:
    """0 for the summary, which holds the opening."""
    return 0 if key.sk == SUMMARY else int(key.sk.removeprefix(_TURN))


def book(workspace: str, execution: str, *, backwards: bool, limit: int) -> Range:
    """The opening and all turns; `SUMMARY` sorts before every `TURN#…`."""
    return Range(f"EXEC#{workspace}#{execution}", SUMMARY, _LAST_TURN, reverse=backwards, limit=limit)


def turns_behind(workspace: str, execution: str, number: int, limit: int) -> Range:
    first = turn(workspace, execution, number + 1)
    return Range(first.pk, first.sk, _LAST_TURN, limit=limit)


def turns_before(workspace: str, execution: str, number: int | None, limit: int) -> Range:
    last = _LAST_TURN if number is None else f"{_TURN}{number - 1:08d}" if number > 1 else SUMMARY
    first = SUMMARY if number is None or number > 0 else f"{SUMMARY}~"
    return Range(f"EXEC#{workspace}#{execution}", first, last, reverse=True, limit=limit)


def workflow(workspace: str, identifier: str) -> Key:
    return Key(f"WF#{workspace}#{identifier}", "META")


def version(workspace: str, identifier: str, number: int) -> Key:
    return Key(f"WF#{workspace}#{identifier}", f"V#{number:08d}")


def schedule(workspace: str, identifier: str) -> Key:
    return Key(f"SCH#{workspace}#{identifier}", "SCHEDULE")


def standing(workspace: str, identifier: str) -> Key:
    return Key(f"SCH#{workspace}#{identifier}", "STANDING")


def schedule_whole(workspace: str, identifier: str) -> Range:
    """Both items of a schedule."""
    return Range(f"SCH#{workspace}#{identifier}", limit=2)


def webhook(token: str) -> Key:
    return Key(f"HOOK#{token}", "HOOK")


def api_key(digest: str) -> Key:
    return Key(f"KEY#{digest}", "KEY")


def file(workspace: str, bucket: str, name: str) -> Key:
    return Key(f"FILE#{workspace}#{bucket}", name)


def files(workspace: str, bucket: str, prefix: str) -> Range:
    """Those whose names begin with `prefix`, in order."""
    return Range(f"FILE#{workspace}#{bucket}", prefix, f"{prefix}\U0010ffff", limit=1_000)


def idempotency(workspace: str, key: str) -> Key:
    return Key(f"IDEM#{workspace}#{key}", "IDEM")


def begun(workspace: str, execution: str, task: int) -> Key:
    return Key(f"BEGUN#{workspace}#{execution}", str(task))


def callback(workspace: str, identifier: str) -> Key:
    return Key(f"CALLBACK#{workspace}", identifier)


def delivery(workspace: str, callback_: str, identifier: str) -> Key:
    return Key(f"DELIVERY#{workspace}#{callback_}", identifier)


def bucket(workspace: str, name: str) -> Key:
    return Key(f"FILE#{workspace}", name)


def operation(workspace: str, identifier: str) -> Key:
    return Key(f"OPERATION#{workspace}", identifier)


def rate(name: str, begins: float) -> Key:
    return Key(f"RATE#{name}", sortable(begins))


def offer(workspace: str, queue: str, priority: int, moment: float, execution: str, task: int) -> Key:
    return Key(_tasks(workspace, queue), f"{_rank(priority, moment)}#{execution}#{task}")


def offers(workspace: str, queue: str, limit: int) -> Range:
    """Higher priorities first, then by age."""
    return Range(_tasks(workspace, queue), limit=limit)


def rules(workspace: str) -> str:
    return f"RULES#{workspace}"


def rule(workspace: str, name: str) -> Key:
    return Key(rules(workspace), quoted(name))


def dead_letter(identifier: str) -> Key:
    return Key(f"DEAD#{identifier}", "LETTER")


def dead_letter_id(key: Key) -> str:
    return key.pk.removeprefix("DEAD#")


def slots(workspace: str, name: str) -> Key:
    return Key(_limit(workspace, name), "SLOTS")


def rate_of_limit(workspace: str, name: str) -> Key:
    return Key(_limit(workspace, name), "RATE")


def waiter(workspace: str, name: str, priority: int, since: float, who: str) -> Key:
    return Key(_limit(workspace, name), f"{_WAITER}{_rank(priority, since)}#{who}")


def waiters(workspace: str, name: str, limit: int) -> Range:
    """In the order in which it is their turn."""
    return Range(_limit(workspace, name), _WAITER, f"{_WAITER}~", limit=limit)


def waiting(key: Key) -> str:
    """Who stands in line there."""
    return key.sk.rpartition("#")[2]


def _limit(workspace: str, name: str) -> str:
    return f"LIMIT#{workspace}#{quoted(name)}"


def quoted(name: str) -> str:
    """A name that people gave, without a `#`."""
    return quote(name, safe="")


def unquoted(name: str) -> str:
    return unquote(name)


_WAITER = "WAIT#"


def _tasks(workspace: str, queue: str) -> str:
    return f"TASKS#{workspace}#{quoted(queue)}"


def _rank(priority: int, moment: float) -> str:
    """Text order is: higher priority first, then earlier."""
    return f"{_LOWEST - max(-_LOWEST, min(_LOWEST, priority)):05d}#{sortable(moment)}"


_LOWEST = 10_000
"""Priorities beyond this, up or down, count as this."""


def claim(workspace: str, workflow: str, business_key: str) -> Key:
    return Key(f"CLAIM#{workspace}#{workflow}", business_key)


def approval(workspace: str, identifier: str) -> Key:
    return Key(f"APPROVAL#{workspace}", identifier)


def trigger_subscription(workspace: str, kind: str, workflow_: str, node: str) -> Key:
    return Key(f"EVENT#{workspace}#{quoted(kind)}", f"{workflow_}#{node}")


def wait_subscription(workspace: str, kind: str, execution: str, task: int) -> Key:
    return Key(f"EVENT#{workspace}#{quoted(kind)}", f"{execution}#{task}")


def subscriptions(workspace: str, kind: str) -> Range:
    return Range(f"EVENT#{workspace}#{quoted(kind)}", limit=500)


def published(workspace: str, digest: str) -> Key:
    return Key(f"EVENTID#{workspace}#{digest}", "EVENT")


def retention(workspace: str) -> Key:
    return Key(f"KEEP#{workspace}", "RETENTION")


def batch(workspace: str, identifier: str) -> Key:
    return Key(f"KEEP#{workspace}", f"BATCH#{identifier}")


def batch_name(moment: float, name: str) -> str:
    """Sorts by its moment."""
    return f"{sortable(moment)}-{name}"


def batches(workspace: str, limit: int, *, newest_first: bool) -> Range:
    return Range(f"KEEP#{workspace}", "BATCH#", "BATCH#~", reverse=newest_first, limit=limit)


def installation() -> Key:
    return Key("INSTALLATION", "OWNER")


def controls() -> Key:
    return Key("SETTINGS", "SETTINGS")


def pulse() -> Key:
    return Key("PULSE", "PULSE")


def sortable(moment: float) -> str:
    """Milliseconds with leading zeros: text order is time order until the year 2286."""
    return f"{int(moment * 1000):013d}"
