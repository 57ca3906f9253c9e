from __future__ import annotations

from contextlib import ExitStack

import pytest

from gracegate.web.bodies import BodiesFull, BodyMemory

MB = 1024 * 1024


def test_bodies_of_1_mb_always_find_room() -> None:
    memory = BodyMemory(0)
    with ExitStack() as stack:
        bodies = [stack.enter_context(memory.body()) for _ in range(3)]
        for body in bodies:
            body.append(bytes(MB))
        with pytest.raises(BodiesFull):
            bodies[0].append(b"x")
        assert [len(body.data) for body in bodies] == [MB] * 3


@pytest.mark.parametrize("chunks", [(3 * MB,), (MB, 2 * MB), (MB // 2, MB, MB + MB // 2), (MB, 0, MB, MB)])
def test_a_larger_body_takes_of_what_all_share_and_gives_it_back(chunks: tuple[int, ...]) -> None:
    memory = BodyMemory(3 * MB)
    with memory.body() as first, memory.body() as second:
        for chunk in chunks:
            first.append(bytes(chunk))
        second.append(bytes(2 * MB))
        with pytest.raises(BodiesFull):
            second.append(b"x")
        assert (first.shared, second.shared) == (2 * MB, MB)
    with memory.body() as third:
        third.append(bytes(4 * MB))
        with pytest.raises(BodiesFull):
            third.append(b"x")
