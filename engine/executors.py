"""Where scoring runs: local worker processes, or a Dask cluster. Both are `concurrent.futures` executors."""

import os
import threading
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from itertools import islice

from joblib.externals.loky import cpu_count, get_reusable_executor

from engine.scoring import prepare_worker
from zoo import ZooError

# One thread a worker: the processes already fill the cores, and results do not depend on the number of threads.
SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def available_cores():
    """Cores that this process may use, by its affinity and its container's quota."""
    return cpu_count()


def unordered(pool, function, tasks):
    """Results of ``function(*task)`` for every task, as they become ready.

    Only a few tasks are handed to the executor ahead of its workers, so that one that is interrupted has nothing to cancel.
    """
    tasks = iter(tasks)
    running = {pool.submit(function, *task) for task in islice(tasks, 2 * pool.workers)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {pool.submit(function, *task) for task in islice(tasks, len(done))}
        for future in done:
            yield future.result()


def _hush(thread):
    """Show no traceback of this thread: loky's may come upon tasks of workers that are killed."""
    shown = threading.excepthook
    threading.excepthook = lambda error: None if error.thread is thread else shown(error)


@contextmanager
def worker_pool(jobs, dask=None):
    """An executor of scoring tasks, with the number of its ``workers``.

    Local workers start once and serve every later context of this process; those of which one has died do not. The method
    ``alone`` gives the result of a task that nothing runs beside: before all workers are there, only one is started for it.

    Arguments:
        jobs: Number of local worker processes.
        dask: Address of a Dask scheduler, such as ``tcp://host:8786``, to use instead. Its workers must see the data
            under the same path and have this project on their import path (start them in its folder).

    Raises:
        ZooError: The scheduler does not answer.
    """
    if dask is None:
        env = SINGLE_THREAD | {"PWD": os.getcwd()}  # workers that were started in another folder are not used again
        options = dict(initializer=prepare_worker, initargs=(os.getpid(),), env=env, timeout=None)
        pool = get_reusable_executor(max_workers=jobs, **options)
        pool.workers = jobs

        def alone(function, *arguments):
            if pool._processes:  # all are there, and idle
                return pool.submit(function, *arguments).result()
            get_reusable_executor(max_workers=1, **options)  # the same pool, resized
            result = pool.submit(function, *arguments).result()
            get_reusable_executor(max_workers=jobs, **options)
            return result

        pool.alone = alone
        try:
            yield pool
        except ZooError:  # said before or after scoring: the workers are idle and well
            raise
        except BaseException:
            _hush(pool._executor_manager_thread)
            pool.shutdown(wait=False, kill_workers=True)
            raise
        return
    from dask.distributed import Client

    try:
        client = Client(dask, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ZooError(f"no Dask scheduler at {dask} ({error}); start one with: dask scheduler") from None
    with client:
        client.run(prepare_worker)
        with client.get_executor() as pool:
            pool.workers = max(1, sum(client.nthreads().values()))
            pool.alone = lambda function, *arguments: pool.submit(function, *arguments).result()
            yield pool
