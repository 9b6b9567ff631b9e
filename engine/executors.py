"""Where scoring runs: local worker processes, or a Dask cluster. Both are `concurrent.futures` executors."""

import os
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


@contextmanager
def worker_pool(jobs, dask=None):
    """An executor of scoring tasks, with the number of its ``workers``.

    Local workers outlive the context for a minute, and serve the next one; those of which one has died do not.

    Arguments:
        jobs: Number of local worker processes.
        dask: Address of a Dask scheduler, such as ``tcp://host:8786``, to use instead. Its workers must see the data
            under the same path and have this project on their import path (start them in its folder).

    Raises:
        ZooError: The scheduler does not answer.
    """
    if dask is None:
        env = SINGLE_THREAD | {"PWD": os.getcwd()}  # workers that were started in another folder are not used again
        pool = get_reusable_executor(max_workers=jobs, initializer=prepare_worker, env=env, timeout=60)
        pool.workers = jobs
        try:
            yield pool
        except BaseException:
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
            yield pool
