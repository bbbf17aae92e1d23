"""Those who come to do something about an execution, and insist until they are answered."""

import asyncio
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Final

from linkflow.engine.resets import Reset
from linkflow.errors import Conflict
from linkflow.language.json import Json
from linkflow.stores import keys
from linkflow.stores.books import Books
from linkflow.stores.records import Answered, decode
from tests.simulation import requests
from tests.simulation.cast import Entrance, Part
from tests.simulation.criers import Criers
from tests.simulation.errands import Errands
from tests.simulation.hosts import Hosts
from tests.simulation.plan import Visitor
from tests.simulation.played import BEGINS, Reply
from tests.simulation.weather import Line

PAUSED: Final = 20.0
"""Seconds after which who paused an execution resumes it."""


class Visitors:
    def __init__(self, hosts: Hosts) -> None:
        self.hosts, self.played = hosts, hosts.played
        self._errands, self._criers = Errands(hosts, self._reply), Criers(hosts)
        self._accepted: dict[int, asyncio.Future[str | None]] = {}

    async def visit(self, visitor: Visitor) -> None:
        plan, cast = self.played.plan, self.played.cast
        await self.hosts.clock.sleep(visitor.at)
        entrance = cast.entrances[visitor.entrance]
        part = cast.parts[entrance.part]
        if not any(one.entrance == visitor.entrance and one.deed == "start" for one in plan.visitors):
            return
        if visitor.deed == "start":
            await self._come_in(visitor, entrance, part, entrance.given)
            return
        workflow = self.played.workflows[entrance.part]
        match visitor.deed:
            case "hold" | "drain":
                await self._errands.hold(visitor, workflow)
            case "cancel all" | "terminate all" | "retry all":
                await self._errands.to_all(visitor, workflow)
            case "trigger" | "backfill":
                await self._errands.to_schedules(visitor)
            case _:
                await self._do(visitor, entrance, part)

    async def _do(self, visitor: Visitor, entrance: Entrance, part: Part) -> None:
        """Something about what the entrance started."""
        execution = await asyncio.shield(self._accepted_at(entrance.number))
        if execution is None:
            return
        insist = partial(self.hosts.insist, part.workspace)
        match visitor.deed:
            case "start otherwise":
                await self._come_in(visitor, entrance, part, {"n": -1, "items": []})
            case "cancel":
                kind = await insist(lambda world: requests.cancelled(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))
            case "terminate":
                kind = await insist(lambda world: requests.terminated(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))
            case "pause":
                kind = await insist(lambda world: requests.paused(world, part.workspace, execution))
                await self.hosts.clock.sleep(PAUSED)
                kind += await insist(lambda world: requests.resumed(world, part.workspace, execution))
                self._reply(Reply(visitor, kind, execution))
            case "reset":
                wish = await self._from_where(part.workspace, execution, visitor)
                new = await insist(lambda world: requests.taken_up(world, part.workspace, execution, wish))
                self._reply(Reply(visitor, "refused" if new is None else "reset", new))
                if new is not None:
                    self._follow(visitor.entrance, new)

    async def _from_where(self, workspace: str, execution: str, visitor: Visitor) -> Reset:
        books = Books(self.played.stores.table, self.played.stores.blobs)
        numbers = [one.number for one in await books.turns(workspace, execution)]
        return Reset(round(visitor.share * (len(numbers) - 1)), key=f"reset {visitor.at}")

    async def _come_in(self, visitor: Visitor, entrance: Entrance, part: Part, given: Json) -> None:
        workflow = self.played.workflows[entrance.part]
        insist = partial(self.hosts.insist, part.workspace)
        try:
            if part.hook is None:
                ask = partial(requests.started, workflow=workflow, part=part, given=given, key=entrance.key)
                outcome = await insist(ask)
                self._reply(Reply(visitor, "accepted", outcome.started.execution, outcome=outcome.state))
                return
            call = requests.call(entrance.key, given)
            answer = await insist(lambda world: requests.received(world, workflow.hooks[0].token, call))
        except Conflict as refused:
            if visitor.deed == "start":
                self._turned_away(visitor.entrance)
            self._reply(Reply(visitor, "refused", body=refused.message))
            return
        known_by = f"hook/{sha256(f'{workflow.hooks[0].token}/{entrance.key}'.encode()).hexdigest()}"
        found = await self.played.stores.table.get(keys.idempotency(part.workspace, known_by))
        named = decode(found.body, Answered).execution if found is not None else None
        self._reply(Reply(visitor, str(answer.status), named, answer.body))

    def _reply(self, reply: Reply) -> None:
        now = self.hosts.clock.now()
        self.played.replies.append(replace(reply, since=BEGINS + reply.visitor.at, at=now))
        told = f"is told '{reply.kind}'"
        self.played.weather.lines.append(Line(now, "outside", told, str(reply.visitor)))
        if reply.execution is not None and reply.visitor.deed == "start":
            accepted = self._accepted_at(reply.visitor.entrance)
            if not accepted.done():
                accepted.set_result(reply.execution)
                self._follow(reply.visitor.entrance, reply.execution)

    def _accepted_at(self, entrance: int) -> "asyncio.Future[str | None]":
        return self._accepted.setdefault(entrance, asyncio.get_running_loop().create_future())

    def _turned_away(self, entrance: int) -> None:
        """There is nothing to come back for."""
        if not self._accepted_at(entrance).done():
            self._accepted_at(entrance).set_result(None)

    def _follow(self, entrance: int, execution: str) -> None:
        """What an execution needs from outside comes once it is there."""
        start = self.played.cast.entrances[entrance]
        part = self.played.cast.parts[start.part]
        if part.signals:
            self.hosts.keep_busy(self._criers.signal(part.workspace, execution))
        if part.told:
            self.hosts.keep_busy(self._criers.publish(part.workspace, execution, start.given))
