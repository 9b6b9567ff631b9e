"""Where scoring runs: local worker processes, or a Dask cluster."""

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from joblib.externals.loky import cpu_count, get_reusable_executor

from irsam_zoo.runtime.hardware import SINGLE_THREAD
from irsam_zoo.runtime.workers import prepare_worker
from irsam_zoo.zoo import ZooError

ENDS_OF_WORKERS = (BrokenExecutor, MemoryError)  # what a task ends in that took its worker along, or its worker's memory


class Pool(Protocol):
    """Workers that tasks are handed to: a `LocalPool`, or a `DaskPool`.

    Attributes:
        workers: Their number.
    """

    workers: int

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """A future of the result of a function."""
        ...

    def alone(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a task that nothing runs beside."""
        ...

    def restart(self) -> None:
        """End all workers; new ones start with the next task."""
        ...


def available_cores() -> int:
    """Cores that this process may use, by its affinity and its container's quota."""
    return cpu_count()


def unordered(
    pool: Pool,
    function: Callable[..., Any],
    tasks: Iterable[tuple[Any, ...]],
    on_death: Callable[[tuple[Any, ...], str], Any] | None = None,
) -> Iterator[Any]:
    """Results of ``function(*task)`` for every task, as they become ready.

    Only a few tasks are handed to the executor ahead of its workers, so that one that is interrupted has nothing to cancel.
    When a worker dies, the tasks that were under way are run again, each alone, so that the one to blame is known.

    Arguments:
        pool: From `worker_pool`.
        function, tasks: What to call, and with which arguments.
        on_death: Function of a task that its worker does not survive, and of a line that says how it died, to what is yielded
            in place of a result; without one, that is an error.

    Raises:
        ZooError: A worker does not survive a task.
    """
    tasks = iter(tasks)
    running = {pool.submit(function, *task): task for task in islice(tasks, 2 * pool.workers)}
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        suspects = []
        for future in done:
            task = running.pop(future)
            try:
                result = future.result()
            except ENDS_OF_WORKERS:
                suspects.append(task)
            else:
                yield result
        if suspects:
            suspects += running.values()
            running.clear()
            pool.restart()
        for task in suspects:
            try:
                result = pool.alone(function, *task)
            except ENDS_OF_WORKERS as error:
                pool.restart()
                if on_death is None:
                    raise ZooError(_how(error)) from error
                result = on_death(task, _how(error))
            yield result
        free = 2 * pool.workers - len(running)
        running |= {pool.submit(function, *task): task for task in islice(tasks, free)}


class LocalPool:
    """Worker processes of this machine, which start once and serve every later pool of this process with the same options.

    Arguments:
        jobs: Their number.
        memory: GiB that each may take for its images, or None.
    """

    def __init__(self, jobs: int, memory: float | None = None):
        self.workers = jobs
        env = SINGLE_THREAD | {"PWD": os.getcwd()}  # workers that were started in another folder are not used again
        self._options: dict[str, Any] = dict(initializer=prepare_worker, initargs=(memory, os.getpid()), env=env, timeout=None)
        self._executor = get_reusable_executor(max_workers=jobs, **self._options)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """A future of the result of a function."""
        return self._executor.submit(function, *arguments)

    def alone(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a task that nothing runs beside: before all workers are there, only one is started for it."""
        if self._executor._processes:  # all are there, and idle
            return self.submit(function, *arguments).result()
        get_reusable_executor(max_workers=1, **self._options)  # the same pool, resized
        try:
            return self.submit(function, *arguments).result()
        finally:
            self._executor = get_reusable_executor(max_workers=self.workers, **self._options)

    def restart(self) -> None:
        """End all workers; new ones start with the next task."""
        self.stop()
        self._executor = get_reusable_executor(max_workers=self.workers, **self._options)

    def stop(self) -> None:
        """End all workers, whatever they do."""
        _hush(self._executor._executor_manager_thread)
        self._executor.shutdown(wait=False, kill_workers=True)


class DaskPool:
    """The workers of a Dask cluster, which tends to them itself.

    Arguments:
        client: A `dask.distributed.Client`.
        executor: Its ``get_executor()``.
    """

    def __init__(self, client: Any, executor: Any):
        self.workers = max(1, sum(client.nthreads().values()))
        self.submit = executor.submit

    def alone(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a task."""
        return self.submit(function, *arguments).result()

    def restart(self) -> None:
        """Leave the workers to the cluster."""


def _hush(thread: threading.Thread | None) -> None:
    """Show no traceback of this thread: loky's may come upon tasks of workers that are killed."""
    shown = threading.excepthook
    threading.excepthook = lambda error: None if error.thread is thread else shown(error)


@contextmanager
def worker_pool(jobs: int, dask: str | None = None, memory: float | None = None) -> Iterator[Pool]:
    """The workers of scoring tasks.

    Arguments:
        jobs: Number of local worker processes.
        dask: Address of a Dask scheduler, such as ``tcp://host:8786``, to use instead. Its workers must see the data
            under the same path and have this project on their import path (start them in its folder).
        memory: GiB that each local worker may take for its images, or None.

    Raises:
        ZooError: The scheduler does not answer.
    """
    if dask is None:
        pool = LocalPool(jobs, memory)
        try:
            yield pool
        except ZooError:  # said before or after scoring: the workers are idle and well
            raise
        except BaseException:
            pool.stop()
            raise
        return
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ZooError(f"--dask needs Dask, which does not import ({error}); run: pip install distributed") from None
    try:
        client = Client(dask, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ZooError(f"no Dask scheduler at {dask} ({error}); start one with: dask scheduler") from None
    with client:
        client.run(prepare_worker)
        with client.get_executor() as executor:
            yield DaskPool(client, executor)


def _how(error: BaseException) -> str:
    """In words, how a worker ended."""
    if isinstance(error, MemoryError):
        return f"it took more memory than a worker has ({error})"
    codes = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    return f"its worker process died ({codes[1] if codes else 'killed'}): a crash, too little memory, or far beyond --timeout"
