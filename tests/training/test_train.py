"""Whole runs: equal from equal seeds, after a kill, and over processes; and the checkpoint that they leave."""

import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
import torch

from irsam_zoo import ROOT
from irsam_zoo.baselines.deep.mshnet import MSHNetDetector
from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.training.hooks import ProgressHook
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.zoo import UsageError, ZooError, build_method
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, save_checkpoint
from irsam_zoo.zoo.weights.find import find_checkpoint

PROGRAM = ROOT / "run_benchmark.py"
AVERAGED = 'ema=dict(ema_type="MomentumAnnealingEMA", momentum=0.01, gamma=4)'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Trains on the synthetic set by the paper schedule; every run has a work folder of its own unless it names one."""
    monkeypatch.setattr("irsam_zoo.training.provenance.code_commit", lambda: "commit")  # it may change while tests run

    def go(config, out="run", checkpoints=None, **options):
        folder = tmp_path / (checkpoints or f"{out}_checkpoints")
        return train(
            TrainOptions(
                method=config,
                dataset="synthetic",
                schedule="paper",
                out=str(tmp_path / out),
                checkpoints=str(folder),
                **options,
            )
        )

    return go


@pytest.fixture
def keep_states(monkeypatch):
    """Leaves a run that is done as one that was stopped after its last step."""
    monkeypatch.setattr("irsam_zoo.training.train.drop_states", lambda work_dir: (Path(work_dir) / "checkpoint").unlink())


def test_equal_seeds_give_equal_files(run, write_config, tmp_path, capsys):
    first, again = (run(write_config(20), out) for out in ("a", "b"))
    other = run(write_config(2), "c", seed=1)
    assert first.read_bytes() == again.read_bytes()
    assert first.name == again.name == f"small_synthetic_paper-{sha256_file(first)[:8]}.safetensors"
    assert not torch.equal(*(load_checkpoint(path)[0]["head.block.4.weight"] for path in (first, other)))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 22  # a line each tenth of a run
    assert "step 20 of 20, loss " in shown.err
    log = "".join(path.read_text() for path in (tmp_path / "a").glob("*/*.log"))
    assert "Iter(train) [20/20]" in log


@pytest.mark.parametrize("more", ["", AVERAGED])
def test_a_killed_run_ends_as_if_it_had_not_been(run, write_config, monkeypatch, more):
    config = write_config(10, more)
    whole = run(config, "whole")
    proceed = ProgressHook.after_train_iter

    def stop(self, runner, *args, **kwargs):
        if runner.iter == 7:
            raise KeyboardInterrupt
        proceed(self, runner, *args, **kwargs)

    monkeypatch.setattr(ProgressHook, "after_train_iter", stop)
    with pytest.raises(KeyboardInterrupt):
        run(config, "killed")
    steps = []

    def count(self, runner, *args, **kwargs):
        steps.append(runner.iter)
        proceed(self, runner, *args, **kwargs)

    monkeypatch.setattr(ProgressHook, "after_train_iter", count)
    resumed = run(config, "killed")
    assert steps == [5, 6, 7, 8, 9]  # the state of step 5 was saved
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    "schedule", ["type='OneCycleLR', eta_max=0.1", "type='StepLR', step_size=2, gamma=0.5", "type='CosineAnnealingLR'"]
)
def test_any_schedule_is_stored_as_plain_data(run, write_config, keep_states, tmp_path, schedule):
    assert run(write_config(2, schedule=schedule)).is_file()
    last = (tmp_path / "run" / "last_checkpoint").read_text()
    assert len(torch.load(last, weights_only=True)["param_schedulers"]) == 1


def test_half_precision_of_the_arithmetic_and_of_the_file(run, write_config):
    plain, halved, stored = (
        run(write_config(4), out, **{out: True}) if out else run(write_config(4)) for out in ("", "amp", "half")
    )
    weights = {path: load_checkpoint(path)[0]["head.block.4.weight"] for path in (plain, halved, stored)}
    assert weights[plain].dtype == weights[halved].dtype == torch.float32
    assert not torch.equal(weights[plain], weights[halved])
    assert torch.allclose(weights[plain], weights[halved], rtol=0.1, atol=0.05)
    assert torch.equal(weights[plain].half(), weights[stored])
    assert load_checkpoint(halved)[1]["recipe"]["amp"]
    assert (
        build_method("acmnet", blocks=1, input_size=64, checkpoint=stored).network.head.block[4].weight.dtype == torch.float32
    )


def test_the_losses_lie_beside_the_weights_and_a_resumed_run_adds_to_them(run, write_config, monkeypatch):
    config = write_config(30)
    proceed = ProgressHook.after_train_iter

    def stop(self, runner, *args, **kwargs):
        proceed(self, runner, *args, **kwargs)
        if runner.iter == 23:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressHook, "after_train_iter", stop)
    with pytest.raises(KeyboardInterrupt):
        run(config)
    monkeypatch.undo()
    table = pandas.read_csv(run(config).with_suffix(".csv"))
    assert list(table.columns) == ["step", "seconds", "cpu_seconds", "loss", "loss_soft_iou"]
    assert table.step.tolist() == [10, 20, 30]
    assert table.seconds.is_monotonic_increasing
    assert table.loss.between(0, 1).all()


def test_a_run_may_start_from_weights_and_change_its_recipe(run, write_config):
    first = run(write_config(4))
    second = run(
        write_config(4), "second", init=str(first), recipe={"steps": 2, "optimizer.lr": 0.0, "augmentation.1.size": 72}
    )
    states = [load_checkpoint(path)[0]["head.block.4.weight"] for path in (first, second)]
    torch.testing.assert_close(*states, rtol=0, atol=1e-4)  # at a rate of almost 0 the weights stay where they started
    metadata = load_checkpoint(second)[1]
    assert metadata["iterations"] == 2
    assert metadata["recipe"]["augmentation"][1]["size"] == 72
    assert metadata["start"]["sha256"] == sha256_file(first)
    assert metadata["start"]["recipe"]["steps"] == 4
    with pytest.raises(UsageError, match=r"--recipe augmentation\.9\.size: "):
        run(write_config(4), "third", recipe={"augmentation.9.size": 2})


def test_a_finished_run_is_not_run_again_and_keeps_no_states(run, write_config, tmp_path, capsys):
    config = write_config(4)
    first = run(config)
    assert not list((tmp_path / "run").glob("*.pth")) + list((tmp_path / "run").glob("last_checkpoint"))
    capsys.readouterr()
    assert run(config) == first
    assert capsys.readouterr().err == ""
    first.unlink()
    assert run(config) == first
    assert "step 4 of 4" in capsys.readouterr().err
    assert run(config, seed=1) != first


def test_a_finished_run_is_copied_to_another_folder(run, write_config, tmp_path, capsys):
    config = write_config(4)
    first = run(config)
    capsys.readouterr()
    second = run(config, checkpoints="elsewhere")
    assert second == tmp_path / "elsewhere" / first.name
    for a, b in ((first, second), (first.with_suffix(".csv"), second.with_suffix(".csv"))):
        assert a.read_bytes() == b.read_bytes()
    first.unlink()
    assert run(config, checkpoints="elsewhere") == second
    assert capsys.readouterr().err == ""


def test_a_folder_whose_name_the_locale_does_not_have(run, write_config):
    path = run(write_config(2), checkpoints="weights\udcff")
    assert path.is_file()
    assert path.with_suffix(".csv").is_file()


def test_a_finished_run_counts_for_its_precision_and_code_alone(run, write_config, monkeypatch, capsys):
    config = write_config(2)
    first = run(config)
    monkeypatch.setattr("irsam_zoo.training.provenance.code_commit", lambda: "another commit")
    assert run(config) == first
    halved = run(config, half=True)
    assert load_checkpoint(halved)[0]["head.block.4.weight"].dtype == torch.float16
    assert halved != first
    capsys.readouterr()
    monkeypatch.setattr("irsam_zoo.training.train.code_version", lambda module: f"another {module}")
    run(config, half=True)
    assert "step 2 of 2" in capsys.readouterr().err


def test_a_seed_among_the_changes_is_used(run, write_config):
    config = write_config(2)
    plain, changed, said = run(config), run(config, "b", recipe={"seed": 7}), run(config, "c", seed=7)
    assert changed.read_bytes() == said.read_bytes() != plain.read_bytes()
    assert load_checkpoint(changed)[1]["seed"] == load_checkpoint(changed)[1]["recipe"]["seed"] == 7


def test_runs_that_end_together_do_not_share_a_temporary_file(run, write_config, monkeypatch):
    written = []

    def save(path, *arguments, **options):
        written.append(path)
        return save_checkpoint(path, *arguments, **options)

    monkeypatch.setattr("irsam_zoo.training.train.save_checkpoint", save)
    paths = {run(write_config(2), f"seed_{seed}", "together", seed=seed) for seed in (0, 1)}
    assert len(paths) == len(set(written)) == 2
    assert {path.name for path in paths} == {path.name for path in paths.pop().parent.glob("*.safetensors")}


def test_what_is_not_reproduced_is_told(run, write_config, capsys):
    metadata = load_checkpoint(run(write_config(2, "edge_target='before_augmentation', seed=None")))[1]
    first = capsys.readouterr().err.splitlines()[0]
    told = "edge_target='before_augmentation', seed=None"
    assert first == f"small: of the author's script, this trainer does not reproduce {told}"
    assert metadata["recipe"]["not_reproduced"] == {"edge_target": "before_augmentation", "seed": None}
    assert metadata["seed"] == 0


def test_a_folder_of_another_run_is_refused(run, write_config, keep_states):
    run(write_config(4))
    with pytest.raises(UsageError, match="seed: 0 there, 1 here"):
        run(write_config(4), seed=1)
    with pytest.raises(UsageError, match="iterations: 4 there, 6 here"):
        run(write_config(6))


def test_states_hold_plain_data_and_others_are_refused(run, write_config, keep_states, tmp_path):
    run(write_config(4))
    last = Path((tmp_path / "run" / "last_checkpoint").read_text())
    state = torch.load(last, weights_only=True)
    assert state["meta"]["iter"] == 4
    assert state["message_hub"]["log_scalars"] == {}
    state["message_hub"]["danger"] = Path("/")
    torch.save(state, last)
    with pytest.raises(ZooError, match="cannot be resumed from; delete its folder"):
        run(write_config(4))


def test_the_checkpoint_says_what_it_was_trained_on(run, write_config):
    path = run(write_config(2))
    _, metadata = load_checkpoint(path)
    train_set = build_dataset("synthetic", subset="train")
    assert metadata["seen"] == {"synthetic": {id: pixels[:16] for id, pixels in train_set.image_digests().items()}}
    assert (metadata["method"], metadata["dataset"], metadata["split"]) == ("small", "synthetic", "irsam")
    assert (metadata["schedule"], metadata["seed"], metadata["iterations"]) == ("paper", 0, 2)
    assert metadata["options"]["blocks"] == 1
    assert len(metadata["train_fingerprint"]) == 64
    assert overlap(metadata, train_set) == train_set.ids
    assert overlap(metadata, build_dataset("synthetic", subset="test")) == []
    assert find_checkpoint(path.parent, "small", "synthetic") == path
    detector = build_method("acmnet", blocks=1, input_size=64, checkpoint=path)
    assert detector.weights.sha256.startswith(path.stem[-8:])


def test_selection_on_a_part_of_the_training_list(run, write_config, keep_states, tmp_path):
    config = write_config(6, "select='val'")
    path = run(config)
    _, metadata = load_checkpoint(path)
    assert metadata["recipe"]["select"] == "val"
    assert len(metadata["seen"]["synthetic"]) == 160  # those held out count as seen
    best = list((tmp_path / "run").glob("best_irstd_IoU_iter_*.pth"))
    assert len(best) == 1
    state = torch.load(best[0], weights_only=True)["state_dict"]
    assert torch.equal(state["network.head.block.4.weight"], load_checkpoint(path)[0]["head.block.4.weight"])


def test_a_loss_that_is_not_finite_ends_the_run(run, write_config, monkeypatch):
    monkeypatch.setattr(
        "irsam_zoo.baselines.deep.acmnet.ACMNet.loss", lambda self, outputs, masks: {"bad": outputs.sum() * torch.nan}
    )
    with pytest.raises(ZooError, match="the loss is nan at step 10; the log is in"):
        run(write_config(12))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["train", "ipi", "--dataset", "synthetic", "--device", "cpu"], "ipi has no network to train"),
        (["train", "acmnet", "--dataset", "nowhere"], "unknown data set 'nowhere'"),
        (["train", "acmnot", "--dataset", "synthetic"], "did you mean acmnet"),
        (["train", "acmnet", "--dataset", "synthetic", "--seed", "-1"], "--seed must be at least 0"),
        (["train", "acmnet"], "--dataset"),
        (["train", "open-acm", "--dataset", "synthetic"], "to train the network say acmnet"),
        (["train", "acmnet", "--dataset", "synthetic", "--device", "cpu", "--launcher", "slurm"], "use --launcher pytorch"),
    ],
)
def test_wrong_usage_is_one_line(arguments, text, capsys):
    assert door.main(arguments) == 2
    error = capsys.readouterr().err
    assert text in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("option", ["--out", "--checkpoints"])
@pytest.mark.parametrize("inside", ["", "/below"])
def test_a_file_in_a_folders_place_is_named_before_training(write_config, tmp_path, monkeypatch, capsys, option, inside):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "afile").touch()
    arguments = ["train", write_config(2), "--dataset", "synthetic", "--schedule", "paper", "--device", "cpu"]
    assert door.main([*arguments, option, f"afile{inside}"]) == 2
    error = capsys.readouterr().err
    assert f"afile{inside} cannot be made a folder" in error
    assert len(error.splitlines()) == 1


def test_a_launcher_that_did_not_start_this_process_is_named(capsys):
    arguments = ["train", "acmnet", "--dataset", "synthetic", "--device", "cpu", "--launcher", "pytorch"]
    assert door.main(arguments) == 1
    assert "start it with: torchrun" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_train_one_network(write_config, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29731", str(PROGRAM)]
    command += ["train", write_config(4), "--dataset", "synthetic", "--schedule", "paper", "--device", "cpu"]
    command += ["--launcher", "pytorch", "--out", "run", "--checkpoints", "checkpoints"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "checkpoints").glob("*.safetensors")
    assert done.stdout.split() == [f"checkpoints/{path.name}"]
    assert load_checkpoint(path)[1]["world_size"] == 2


def test_a_batch_of_one_is_told_in_the_words_of_a_recipe(run, write_config):
    with pytest.raises(UsageError, match=r"small has a batch norm behind a global pooling, .* --recipe batch_size=2"):
        run(write_config(2), recipe={"batch_size": 1})


def test_a_warm_up_has_its_share_of_the_run(run, tmp_path, monkeypatch):
    config = tmp_path / "warm.py"
    config.write_text(
        "method = dict(type='mshnet', input_size=32)\n"
        "recipe = dict(steps=4, batch_size=2, optimizer=dict(type='SGD', lr=0.1), evaluation=dict(warm_up=0.5),\n"
        "              augmentation=[dict(type='RandomCrop', size=32, on_target=1.0)])"
    )
    seen, loss = [], MSHNetDetector.loss
    monkeypatch.setattr(MSHNetDetector, "loss", lambda *args: seen.append(len(args[1][0])) or loss(*args))
    run(str(config))
    assert seen == [0, 0, 4, 4]
