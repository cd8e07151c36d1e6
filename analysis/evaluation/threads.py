"""Independent fits side by side, each on one core."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from threading import Event
from typing import Any, TypeVar

from analysis.errors import Cancelled

Result = TypeVar("Result")

_MOST_WORKERS = 4
_SECONDS_BETWEEN_REPORTS = 0.1


def one_blas_thread() -> AbstractContextManager[Any]:
    """Matrix products on one core while the block lasts.

    Products as small as those of an evaluation lose more by waiting for one another's threads
    than they gain: on a busy machine they take ten times as long.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def side_by_side(
    tasks: int,
    run: Callable[[int, Callable[[float], None]], Result],
    report: Callable[[float, float], None] | None = None,
) -> list[Result]:
    """`run(task, tell)` for each task, several at a time.

    :param run: calls `tell(share)` as it goes on, with its share that is done.
    :param report: called in the caller's thread with (tasks done, tasks); if it raises, the
        others stop where they next call `tell`.
    :returns: results in the order of the tasks.
    """
    shares = [0.0] * tasks
    stopped = Event()

    def start(task: int) -> Result:
        def tell(share: float) -> None:
            if stopped.is_set():
                raise Cancelled
            shares[task] = share

        result = run(task, tell)
        shares[task] = 1.0
        return result

    workers = min(tasks, os.cpu_count() or 1, _MOST_WORKERS)
    with one_blas_thread(), ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [pool.submit(start, task) for task in range(tasks)]
        try:
            running = set(futures)
            while running:
                if report:
                    report(sum(shares), tasks)
                done, running = wait(running, _SECONDS_BETWEEN_REPORTS, FIRST_EXCEPTION)
                for future in done:
                    future.result()
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
