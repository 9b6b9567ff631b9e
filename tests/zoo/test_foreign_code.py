"""What code of others cannot change around it."""

import os
import threading
import time

import pytest

from irsam_zoo.zoo.errors import OutOfTime, one_line
from irsam_zoo.zoo.foreign_code import contained


def test_the_folder_and_the_way_out_are_what_they_were(tmp_path):
    folder, leave = os.getcwd(), os._exit

    def leaves():
        with contained():
            os.chdir(tmp_path)
            with contained():
                os._exit(0)

    with pytest.raises(SystemExit):
        leaves()
    assert (os.getcwd(), os._exit) == (folder, leave)


def test_a_process_that_it_forks_ends_as_it_should():
    with contained():
        child = os.fork()
        if child == 0:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_code_that_is_deaf_to_errors_is_told_when_its_time_is_over():

    def deaf():
        with contained(0.05):
            while True:
                try:
                    time.sleep(10)
                except Exception:
                    continue

    with pytest.raises(OutOfTime) as error:
        deaf()
    assert one_line(error.value) == "not done after 0.05 s"
    time.sleep(0.1)  # nothing is told afterwards


def test_another_thread_is_left_alone():
    seen = []

    def work():
        with contained(0.01):
            seen.append(os._exit)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [os._exit]


def test_one_line_survives_an_error_that_cannot_be_told():
    class UntoldError(Exception):
        def __str__(self):
            raise ValueError

    assert one_line(UntoldError()) == "UntoldError: (its text cannot be made)"
    assert one_line(ValueError("\x1b[31ma\nb")) == "ValueError: \\x1b[31ma b"
