"""The time left, which a bar tells."""

import pytest

from irsam_zoo.runtime.progress import Progress


@pytest.mark.parametrize("each", [2.0, 90.0])
def test_the_time_left_is_of_the_images_of_this_run(each):
    """Images that an earlier run scored took no time; and an image may take longer than any window."""
    clock = [0.0]
    progress = Progress(str)
    progress.bar.get_time = lambda: clock[0]
    with progress.cell("m", "d", 100) as on_image:
        clock[0] += 1
        on_image(50, stored=True)
        for _ in range(6):
            clock[0] += each
            on_image()
        (task,) = progress.bar.tasks
        assert task.completed == 56
        assert task.time_remaining == pytest.approx(44 * each, rel=0.05)


def test_names_are_no_markup_and_no_escape_sequences(capsys):
    progress = Progress(lambda row: row)
    with progress, progress.cell("[/]", "\x1b[2J", 3) as on_image:
        on_image()
        progress.report("[red]\x1b[2J\n")
    assert capsys.readouterr().err == "[red]\\x1b[2J\n"
