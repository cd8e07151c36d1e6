"""Work on many items in threads, with the results in order, few at a time, and easy to stop."""

from __future__ import annotations

import concurrent.futures
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import TypeVar

from analysis.progress import Progress

_POLL_SECONDS = 0.05

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    progress: Progress,
    workers: int,
    ahead: int | None = None,
) -> Generator[Result, None, None]:
    """`map(function, items)` in `workers` threads: lazily, in order, at most `ahead` items ahead.

    Items are drawn in the calling thread. A wish to stop is seen within a twentieth of a second,
    even while a thread is busy: what has not begun is dropped, what has begun ends in the
    background and is forgotten. The same holds when the iterator is closed early.

    :raises Cancelled: when `progress` is cancelled.
    """
    workers = max(1, workers)
    ahead = max(workers, ahead if ahead is not None else 4 * workers)
    remaining = iter(items)
    pool = concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="images")
    waiting: deque[concurrent.futures.Future[Result]] = deque()
    try:
        waiting.extend(pool.submit(function, item) for item in islice(remaining, ahead))
        while waiting:
            result = _wait(waiting.popleft(), progress)
            waiting.extend(pool.submit(function, item) for item in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _wait(future: concurrent.futures.Future[Result], progress: Progress) -> Result:
    while True:
        progress.check_cancelled()
        try:
            return future.result(timeout=_POLL_SECONDS)
        except concurrent.futures.TimeoutError:
            # The function itself may raise the same exception.
            if future.done():
                return future.result()
