"""The whole engine in bad weather: seeded stories of faults, in one process, in virtual time.

    python -m tests.simulation --seeds 0-1999         (scripts/simulate)

`cast` draws workflows (`machines` of the States Language, random graphs, and `scenes` of their own shape), `plan`
what befalls them, `story` plays it: real functions, visits, stores and queues, in `hosts` whose `processes` die and
start again, over ports with the `weather` around them. From outside come `visitors`, who start (some wait for the
result), cancel, pause and reset, and do `errands` (hold what others start, end all of a workflow, trigger schedules);
`criers` of signals and events, remote `workers`, and `bearers` of tokens and of links to approvals; `requests` is what
they ask. The `outside` also hears callbacks. What was `played` is judged by `laws`, a
room for each family of them, and `seeds` counts. Nothing is patched: every fault comes from a port that is wrapped.

How to read a story (`scripts/simulate --seeds N-N --tell`). First come the laws it breaks, then what it needs for that,
made as small as it could be: visitors, happenings, faults. A fault stands at a position in the count of all calls of
ports. Then the calls in order: the moment in seconds since the beginning, the process (`A2` is the second process
started, on host A), the port's verb, what it was about, `→` what came back, for a turn its events, and behind `!!` the
fault that struck. A process that `is killed` makes no call any more; whatever it had under way is gone. `outside` is
who starts, cancels, and brings tokens back. The same seed tells the same story, byte for byte, on every machine.

A bug once found is kept as the smallest story that shows it, in `test_found.py`. That the laws can fail is shown by
`planted.py`: bugs put in on purpose, each of which must be found.
"""
