"""One reader for all viewers, and no viewer who keeps another waiting."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from ablate.watch import hub as hubs
from ablate.watch.hub import Hub
from ablate.watch.server.stream import EventStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine


class Counter:
    """A state that is another one at each read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> dict[str, Any]:
        self.reads += 1
        return {"head": self.reads, "fixed": "same", **({"early": 1} if self.reads < 3 else {})}


def parsed(message: bytes) -> tuple[str, dict[str, Any]]:
    kind, data = message.decode().strip().split("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data:").strip() or "{}")


def test_viewers_share_what_is_read() -> None:
    async def scenario() -> None:
        counter = Counter()
        hub = Hub(counter.read, pause=0.01)
        streams = [hub.messages() for _ in range(20)]
        last = [0] * len(streams)
        for _ in range(5):
            for i, stream in enumerate(streams):
                _, parts = parsed(await anext(stream))
                last[i] = parts["head"]
        assert hub.viewers == 20
        assert counter.reads <= max(last) + 1  # however many have listened
        for stream in streams:
            await stream.aclose()
        assert hub.viewers == 0
        reads = counter.reads
        await asyncio.sleep(0.1)
        assert counter.reads <= reads + 1, "without viewers nothing is read"
        hub.close()

    asyncio.run(scenario())


def test_a_slow_viewer_skips_states_and_learns_what_is_gone() -> None:
    async def scenario() -> None:
        counter = Counter()
        hub = Hub(counter.read, pause=0.001)
        slow, quick = hub.messages(), hub.messages()
        kind, first = parsed(await anext(slow))
        assert (kind, first) == ("state", {"head": 1, "fixed": "same", "early": 1})
        head = 0
        while head < 6:
            head = parsed(await anext(quick))[1]["head"]
        kind, changes = parsed(await anext(slow))
        assert kind == "changes"
        assert changes == {"head": changes["head"], "early": None}  # what is the same is not sent again
        assert changes["head"] >= 6
        late = hub.messages()
        assert "early" not in parsed(await anext(late))[1]
        hub.close()
        assert [parsed(message)[0] async for message in slow][-1] == "end"
        await quick.aclose()
        await late.aclose()

    asyncio.run(scenario())


def test_a_viewer_of_a_still_study_gets_signs_of_life() -> None:
    async def scenario() -> None:
        hub = Hub(lambda: {"head": 1}, pause=0.001, ping=0.01)
        stream = hub.messages()
        kinds = [parsed(await anext(stream))[0]]
        while kinds[-2:] != ["ping", "ping"] or "state" not in kinds:
            kinds.append(parsed(await anext(stream))[0])
        assert kinds.count("state") == 1
        await stream.aclose()
        hub.close()

    asyncio.run(scenario())


def test_a_read_that_waited_for_a_lock_is_followed_by_a_short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "REST", 1000)
    counter = Counter()

    def read() -> dict[str, Any]:
        time.sleep(0.1)  # as if another process wrote
        return counter.read()

    async def scenario() -> None:
        hub = Hub(read, pause=0.001)
        stream = hub.messages()
        async with asyncio.timeout(60):
            kinds = [parsed(await anext(stream))[0] for _ in range(3)]
        assert kinds == ["state", "changes", "changes"]
        await stream.aclose()
        hub.close()

    asyncio.run(scenario())


def test_a_bug_of_the_reader_is_shown_and_reading_goes_on() -> None:
    reads = iter([KeyError("oops"), {"head": 2}])

    def read() -> dict[str, Any]:
        found = next(reads, {"head": 2})
        if isinstance(found, Exception):
            raise found
        return found

    async def scenario() -> None:
        hub = Hub(read, pause=0.001)
        stream = hub.messages()
        _, parts = parsed(await anext(stream))
        assert parts["head"] == {"phase": "gone", "problem": "unexpected error: 'oops'"}
        assert parsed(await anext(stream)) == ("changes", {"head": 2})
        await stream.aclose()
        hub.close()

    asyncio.run(scenario())


def test_a_viewer_who_comes_while_the_last_one_leaves_is_kept_up_to_date() -> None:
    async def scenario() -> None:
        hub = Hub(Counter().read, pause=0.001)
        leaving, coming = hub.messages(), hub.messages()
        await anext(leaving)
        leaves = asyncio.create_task(leaving.aclose())
        await asyncio.sleep(0)  # it has asked the reader to end, which has not happened yet
        heads = [parsed(await anext(coming))[1]["head"]]
        await leaves
        async with asyncio.timeout(60):
            heads += [parsed(await anext(coming))[1]["head"] for _ in range(2)]
        assert heads == sorted(set(heads))
        await coming.aclose()
        hub.close()

    asyncio.run(scenario())


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


async def stuck(message: dict[str, Any]) -> None:
    if message["type"] == "http.response.body":
        await asyncio.Event().wait()


async def leaves() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def takes(message: dict[str, Any]) -> None:
    del message


@pytest.mark.parametrize(("receive", "send"), [(never, stuck), (leaves, takes)], ids=["takes nothing", "leaves"])
def test_the_stream_of_a_viewer_who_is_gone_ends(
    receive: Callable[[], Coroutine[Any, Any, dict[str, Any]]],
    send: Callable[[dict[str, Any]], Coroutine[Any, Any, None]],
) -> None:
    ended = []

    async def messages() -> AsyncGenerator[bytes, None]:
        try:
            yield b"data: \n\n"
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    stream = EventStream(messages(), patience=0.01)
    asyncio.run(asyncio.wait_for(stream({}, receive, send), 60))  # type: ignore[arg-type]
    assert ended or receive is leaves  # who leaves at once has begun nothing
