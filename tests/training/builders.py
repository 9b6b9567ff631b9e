"""Queues of small trainings, and a stand-in for graphs."""


class Replays:
    """Runs on a replay what a graph would have recorded, and nothing on a capture."""

    def __init__(self, fault=None):
        self.fault, self.captures, self.replays = fault, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def capture(self, function):
        if self.fault is not None:
            raise self.fault
        self.captures += 1
        outputs = {}

        def replay():
            self.replays += 1
            outputs.update(function())

        return replay, outputs


SMALL, OTHER = "acmnet_quarter", "acmnet_fpn"


PHASES = [dict(size=32, batch_size=2, share=1, on_target=0.9)]


def plan_of_six(recipe, *args):
    """A plan in place of the probe's, so that no machine is too slow to be stopped in between."""
    return {"amp": False, "steps": [6 for _ in recipe.phases]}


def weights_of(folder):
    return sorted((folder / "checkpoints").glob("*.safetensors"))


def stop_at(monkeypatch, step):
    """Let the time of a run be over at a step."""
    from irsam_zoo.training.hooks import StateHook

    after = StateHook.after_train_iter

    def counted(self, runner, batch_idx, data_batch=None, outputs=None):
        self.deadline = 0 if runner.iter + 1 == step else None
        after(self, runner, batch_idx, data_batch, outputs)

    monkeypatch.setattr(StateHook, "after_train_iter", counted)
