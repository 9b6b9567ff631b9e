"""The program as a user starts it, and what it leaves in a folder."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import psutil

from irsam_zoo.runtime.interrupts import POLL
from tests.user_set import PROGRAM

PATIENCE = 300  # seconds for what takes a few, on a machine that is busy


def start(*arguments, folder, **options):
    """Start the program; a shell that runs tests in the background has interrupts ignored, which it is not to inherit."""
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipes = dict(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heard)
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(PROGRAM), *map(str, arguments)], cwd=folder, env=env, **pipes | options)


def finish(*arguments, folder):
    """Run the program to its end; gives its exit status and what it said on standard error."""
    process = start(*arguments, folder=folder)
    _, error = process.communicate(timeout=5 * PATIENCE)
    return process.returncode, error


def workers(process):
    """The worker processes of a running program."""
    try:
        return [child for child in psutil.Process(process.pid).children(recursive=True) if "popen_loky" in _command(child)]
    except psutil.NoSuchProcess:
        return []


def _command(child):
    try:
        return " ".join(child.cmdline())
    except psutil.Error:
        return ""


def wait_until(true, process=None):
    """Wait for something, or for the end of a process."""
    end = time.monotonic() + PATIENCE
    while not true() and (process is None or process.poll() is None):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def all_end(children):
    """Whether these processes end by themselves, a few polls of their parent later."""
    _, alive = psutil.wait_procs(children, timeout=25 * POLL)
    return not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


def journal_lines(out):
    """The whole lines of all journals of images, and the ids in them, as they are now."""
    lines = [line for path in out.glob("journal/*/*/*/*.jsonl") for line in path.read_bytes().split(b"\n")[1:-1]]
    return set(lines), [json.loads(line)["id"] for line in lines]


def files(out, *kinds):
    """What is below folders of a result folder, by path."""
    paths = [path for kind in kinds for path in (out / kind).rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}
