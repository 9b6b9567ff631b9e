import torch

from irsam_zoo.baselines.classical.parts.unfinished import Unfinished


def test_images_leave_as_they_are_done_and_results_keep_their_places():
    unfinished = Unfinished(3)
    state = torch.tensor([[10.0], [20.0], [30.0]])
    (same,) = unfinished.settle(torch.zeros(3, dtype=torch.bool), (state,), state)
    assert same is state

    counts = torch.tensor([4, 5, 6])
    state, counts = unfinished.settle(torch.tensor([False, True, False]), (state, counts, "first"), state, counts)
    assert unfinished
    assert state.tolist() == [[10.0], [30.0]]
    assert counts.tolist() == [4, 6]
    assert unfinished.results[::2] == [None, None]

    (state,) = unfinished.settle(torch.tensor([True, True]), (state, counts, "second"), state)
    assert not unfinished
    assert state.shape == (0, 1)
    assert [result[1:] for result in unfinished.results] == [(4, "second"), (5, "first"), (6, "second")]
    assert [result[0].tolist() for result in unfinished.results] == [[10.0], [20.0], [30.0]]
