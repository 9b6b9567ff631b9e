"""Score maps on their way through a file."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy.special import expit

from irsam_zoo.results.score_map import (
    ABOUT,
    SCALE,
    AboutScores,
    probability_logits,
    read_about,
    read_scale,
    restored,
    write_about,
    write_score_map,
)
from irsam_zoo.zoo import ZooError


def levels_of(path):
    with Image.open(path) as image:
        assert image.mode == "I;16"
        return np.array(image)


def random_scores(seed=0):
    return np.random.default_rng(seed).normal(-3, 5, (40, 50)).astype(np.float32)


def test_raw_scores_come_back_to_half_a_level(tmp_path):
    score = random_scores()
    write_score_map(tmp_path / "a.png", score, "raw")
    back = restored(levels_of(tmp_path / "a.png"), read_scale(tmp_path / "a.png"))
    assert (back.min(), back.max()) == (score.min(), score.max())
    assert np.abs(back - score).max() <= (score.max() - score.min()) / 65535 * 0.501


def test_whole_scores_and_flat_ones_come_back_as_they_were(tmp_path):
    whole = np.random.default_rng(0).integers(-900, 30000, (40, 50)).astype(np.float32)
    for score in (whole, np.full((16, 16), 0.3, np.float32)):
        write_score_map(tmp_path / "a.png", score, "raw")
        np.testing.assert_array_equal(restored(levels_of(tmp_path / "a.png"), read_scale(tmp_path / "a.png")), score)


def test_logits_are_written_as_probabilities(tmp_path):
    score = random_scores()
    score[0, :6] = (0, 1e-6, -1e-6, 40, -40, 2)
    write_score_map(tmp_path / "a.png", score, "logit")
    part = levels_of(tmp_path / "a.png") / 65535
    assert read_scale(tmp_path / "a.png") is None
    np.testing.assert_allclose(part, expit(score.astype(float)), atol=0.51 / 65535)
    np.testing.assert_array_equal(part > 0.5, score > 0)
    back = probability_logits(part)
    np.testing.assert_array_equal(back > 0, score > 0)
    near = np.abs(score) < 3
    np.testing.assert_allclose(back[near], score[near], atol=3e-4)


def test_arrays_hold_scores_as_they_are(tmp_path):
    write_score_map(tmp_path / "a.npy", random_scores(), "logit")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), random_scores())


def test_what_a_folder_holds(tmp_path):
    assert read_about(tmp_path) is None
    about = AboutScores("logit", "fixed(0)")
    write_about(tmp_path, about)
    assert read_about(tmp_path) == about


@pytest.mark.parametrize("text", ["{", "[]", '{"kind": "logit"}', '{"kind": "mask", "threshold": "x"}'])
def test_a_folder_that_tells_something_else_is_an_error(tmp_path, text):
    (tmp_path / ABOUT).write_text(text)
    with pytest.raises(ZooError, match=r"scores\.json does not tell the kind"):
        read_about(tmp_path)


def test_a_range_that_cannot_be_read_is_an_error(tmp_path):
    text = PngInfo()
    text.add_text(SCALE, '{"low": 0}')
    Image.new("I;16", (4, 4)).save(tmp_path / "a.png", pnginfo=text)
    with pytest.raises(ZooError, match=r"a\.png has a text 'score range'"):
        read_scale(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no image")
    assert read_scale(tmp_path / "b.png") is None
