"""Records of images on their way through the journal."""

import json

import numpy as np
import pytest

from irsam_zoo.results.record import SWEEP_COLUMNS, ImageRecord, pack_sweep, unpack_sweep
from tests.results.builders import make_record, sweep_of


def test_a_record_survives_the_journal():
    record = make_record(saved="masks/a.png")
    assert ImageRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_sweep_survives_the_journal():
    sweep = sweep_of(70000)
    unpacked = unpack_sweep(json.loads(json.dumps(pack_sweep(sweep))))
    for name in SWEEP_COLUMNS:
        np.testing.assert_array_equal(unpacked[name], sweep[name])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"statistics": {"low": 0.0}}, "key 'statistics': no key 'high', 'mean', 'std'"),
        ({"height": "4"}, "key 'height' holds '4' where a whole number belongs"),
        ({"notes": [3]}, "key 'notes' holds 3 where text belongs"),
        ({"hight": 4}, "unknown key 'hight'; did you mean height"),
    ],
)
def test_a_wrong_key_is_named(change, text):
    with pytest.raises(ValueError, match=text):
        ImageRecord.from_json(make_record().to_json() | change)
