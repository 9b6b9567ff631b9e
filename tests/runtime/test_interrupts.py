"""The end of work by its time."""

import signal
import time

import pytest

from irsam_zoo.runtime.interrupts import TimeIsOver, time_limit


def test_work_is_ended_where_it_is_when_its_time_is_over():
    with pytest.raises(TimeIsOver), time_limit(0.05):
        time.sleep(20)
    time.sleep(0.1)


def test_work_that_is_done_in_time_is_not_ended_later():
    before = signal.getsignal(signal.SIGUSR1)
    with time_limit(0.05) as in_time:
        in_time(3, stored=True)
    time.sleep(0.1)
    assert signal.getsignal(signal.SIGUSR1) is before
    with time_limit(None) as in_time:
        in_time()
