"""Rows with a right checksum and odd insides are left out and told; the others are shown."""

import json

import pytest

from irsam_zoo.commands import door
from irsam_zoo.results.checksum import summed
from irsam_zoo.results.record import SWEEP_COLUMNS, pack_sweep, unpack_sweep
from irsam_zoo.results.store import ResultStore
from tests.results.builders import FULL, make_record, make_row

COLUMN = [1] * 256
SWEEP = dict.fromkeys(SWEEP_COLUMNS, COLUMN)
STRATUM = {"bin": "1-9", "targets": 1, "matched": 1, "Pd": 1.0, "IoU": 0.5}
WEIGHTS = make_row(**FULL).to_json()["weights"]
SOUND = dict(
    method="good", metrics={"exact": {"IoU": 0.5, "Fa": None}}, ci95={"exact": {"IoU": [0.4, 0.6], "Fa": [None, None]}},
    family="deep", auc=0.9, signal={"SCRG": 1.0, "BSF": None}, strata={"size": [STRATUM], "scr": []}, sweep=SWEEP,
    weights=WEIGHTS, key={"method": {"type": "x"}, "data": "f"}, metric_size="512x512", score_kind="logit",
)  # fmt: skip
ODD = [
    dict(metrics=None), dict(metrics={"exact": None}), dict(metrics={"exact": {"IoU": "high"}}), dict(metrics=[]),
    dict(metrics={"exact": {"IoU": float("nan")}}), dict(metrics={"exact": {"IoU": float("inf")}}),
    dict(metrics={"exact": {"IoU": 1e300}}), dict(metrics={"exact": {"IoU": [0.5]}}), dict(metrics={"exact": {"IoU": True}}),
    dict(ci95={"exact": {"IoU": [0.1]}}), dict(ci95={"exact": {"IoU": 0.1}}), dict(ci95={"exact": [0, 1]}),
    dict(ci95={"exact": {"IoU": [0.1, None]}}), dict(ci95={"exact": {"IoU": {"low": 0}}}), dict(ci95=None),
    dict(auc=float("inf")), dict(auc=-1), dict(auc="0.9"), dict(auc=1e999),
    dict(family="zzz"), dict(family=3), dict(fidelity="mine"), dict(fidelity={}),
    dict(title="\ud800"), dict(notes={"\ud800": 1}), dict(reason=["no"]), dict(title=None),
    dict(params=10**4000), dict(params=2**70), dict(params=-1), dict(params=1.5), dict(n_images=-1), dict(n_images="2"),
    dict(n_images=None), dict(n_split=1e400), dict(trained_on_test=-3),
    dict(signal={}), dict(signal={"SCRG": "x", "BSF": 1}), dict(signal=[1]),
    dict(strata={"size": [STRATUM]}), dict(strata={"size": [{}], "scr": []}), dict(strata={"size": "1-9", "scr": []}),
    dict(strata={"size": [STRATUM | {"IoU": 7}], "scr": []}), dict(strata=[]),
    dict(sweep={}), dict(sweep={"tp": COLUMN}), dict(sweep=SWEEP | {"tp": COLUMN[:9]}), dict(sweep=SWEEP | {"tp": [-1] * 256}),
    dict(sweep=SWEEP | {"tp": None}), dict(left_out={"a": None}), dict(notes={"tired": "often"}), dict(data_notes=[1]),
    dict(key={"method": "x"}), dict(key={"method": {"checkpoint": 3}}), dict(key={"files": []}), dict(key=[]),
    dict(key={"data": 1}),
    dict(weights=WEIGHTS | {"file": "../../other.safetensors"}), dict(weights=WEIGHTS | {"file": ""}), dict(weights={}),
    dict(weights=WEIGHTS | {"iterations": 1e30}), dict(weights=[]),
    dict(metric_size="huge"), dict(metric_size=None), dict(score_kind="points"), dict(threshold="(" * 5000),
    dict(threshold=0.5),
    dict(status="lucky"), dict(oracle="no"), dict(version=0), dict(version=True), dict(version="2"),
    dict(version=None, fidelity=5), dict(more=1), dict(speed={"fps": 0, "seconds_an_image": 0}),
]  # fmt: skip


def write(store, name, changes):
    data = {**make_row(n_images=0).to_json(), **SOUND, "method": name} | changes
    data.pop("sum")
    path = store.row_path("d", "s", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summed(data)))
    return path


@pytest.mark.parametrize("arguments", [["report"], ["report", "--threshold", "fixed(0)"]])
def test_odd_rows_are_left_out_and_told(tmp_path, capsys, arguments):
    store = ResultStore(tmp_path)
    write(store, "good", {})
    paths = [write(store, f"odd{number:02d}", changes) for number, changes in enumerate(ODD)]
    assert door.main([*arguments, "--figures", "none", "--out", str(tmp_path)]) in (0, 1)
    told = [line for line in capsys.readouterr().err.splitlines() if "is not a result row" in line]
    shown = [ODD[number] for number, path in enumerate(paths) if not any(line.startswith(f"{path} ") for line in told)]
    assert shown == []
    assert len(told) == len(ODD)
    assert max(map(len, told)) < 500
    assert [row.method for row in store.rows(lambda line: None)] == ["good"]
    page = (tmp_path / "report" / "index.html").read_text()
    assert "odd00" not in page
    assert "good" in page


@pytest.mark.parametrize(
    "speed",
    [
        {"fps": 0.0, "seconds_an_image": 0.0},
        {"fps": 1e300, "seconds_an_image": 1},
        {"fps": "fast"},
        {"memory": 1},
        [[[[]]]],
        "x",
    ],
)
def test_an_odd_file_of_times_costs_the_speed_alone(tmp_path, speed):
    store = ResultStore(tmp_path)
    store.write_row(make_row(**FULL, n_images=1), [make_record()])
    path = store.times_path("d", "s", "m")
    path.write_text(json.dumps(summed({"version": 1, "speed": speed, "seconds": {}})))
    (row,) = store.rows()
    assert row.speed is None


def test_a_bomb_of_brackets_costs_the_speed_alone(tmp_path):
    store = ResultStore(tmp_path)
    store.write_row(make_row(**FULL, n_images=1), [make_record()])
    store.times_path("d", "s", "m").write_text("[" * 10**5)
    assert [row.speed for row in store.rows()] == [None]


def test_a_sweep_is_unpacked_to_its_length_alone():
    import base64
    import zlib

    whole = {name: unpack_sweep(make_record().sweep)[name] for name in SWEEP_COLUMNS}
    assert pack_sweep(whole) == make_record().sweep
    for data in (b"\0" * 10**8, b"", b"\0" * 5):
        with pytest.raises(ValueError, match="a sweep of another length"):
            unpack_sweep(base64.b64encode(zlib.compress(data)).decode())
