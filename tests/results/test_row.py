"""Rows on their way through a file."""

import json

import pytest

from irsam_zoo.results.row import VERSION, Row, Speed, Status
from tests.results.builders import FULL, make_row


@pytest.mark.parametrize("row", [make_row(), make_row(**FULL), make_row(status=Status.FAILED, reason="no luck")])
def test_a_row_survives_its_file(row):
    written = json.loads(json.dumps(row.to_json()))
    assert written["version"] == VERSION
    assert Row.from_json(written) == row


def test_what_is_said_of_a_row():
    row = make_row(**FULL)
    assert (row.fidelity_label, row.fingerprint, row.journal_key) == ("reconstruction (WPMD)", "f", {"code": "c"})
    assert row.ok
    assert row.whole
    assert not make_row(n_split=3).whole
    assert not make_row(status=Status.NO_CHECKPOINT).ok
    assert make_row().fidelity_label is None


def test_the_speed_of_one_image_gives_way_to_the_median_of_those_scored():
    one = Speed(fps=0.5, seconds_an_image=2.0, runs=1, quiet=False, height=9, width=9, processor="p")
    assert one.marks == "1B"
    many = one.of_scored_images([1.0, 4.0, 9.0, 5.0])
    assert (many.seconds_an_image, many.fps, many.lower_quartile, many.upper_quartile) == (4.5, 1 / 4.5, 3.25, 6.0)
    assert (many.runs, many.marks, many.processor) == (4, "", "p")
    assert "median of the 4 images as they were scored" in many.how
    assert many.of_scored_images([1.0, 1.0]) == many
    assert one.of_scored_images([1.0]) == one


def test_the_speed_of_several_images_stays():
    several = Speed(fps=3.0, seconds_an_image=1 / 3, runs=2, quiet=True)
    assert several.of_scored_images([9.0, 9.0]) == several
    assert several.marks == ""


def test_a_row_from_before_there_were_versions():
    old = {key: value for key, value in make_row(**FULL).to_json().items() if key not in ("version", "fidelity_scope")}
    row = Row.from_json(old | {"fidelity": "reconstruction (WPMD)"})
    assert (row.fidelity, row.fidelity_scope) == ("reconstruction", "WPMD")
    assert Row.from_json(old | {"fidelity": "author-code"}).fidelity_scope == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"metrics": None}, "key 'metrics' holds None where an object belongs"),
        ({"status": "okay"}, "key 'status': 'okay' is not a valid Status"),
        ({"n_images": True}, "key 'n_images' holds True where a whole number belongs"),
        ({"speed": {"fps": 1.0}}, "key 'speed': no key 'seconds_an_image'"),
        ({"weights": [1]}, "key 'weights': list where an object with keys belongs"),
        ({"metric": {}}, "unknown key 'metric'; did you mean metrics"),
        ({"version": VERSION + 1}, f"version {VERSION + 1} of its form; this program knows {VERSION}"),
    ],
)
def test_a_wrong_key_is_named(change, text):
    with pytest.raises(ValueError, match=text):
        Row.from_json(make_row(**FULL).to_json() | change)


def test_an_absent_key_is_named():
    with pytest.raises(ValueError, match="no key 'method', 'n_images'"):
        Row.from_json({k: v for k, v in make_row().to_json().items() if k not in ("method", "n_images")})
    with pytest.raises(ValueError, match="list where an object"):
        Row.from_json([])
