"""How a method gets into the registry, and what a wrong name says."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from irsam_zoo import ROOT
from irsam_zoo.zoo import (
    METHODS,
    Detector,
    MethodCard,
    UsageError,
    ZooError,
    build_method,
    list_methods,
    load_plugin,
)
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import method_config

PLUGIN = """
from irsam_zoo.zoo import METHODS, Detector, MethodCard

@METHODS.register_module("{name}")
class Bright(Detector):
    card = MethodCard(title="Bright", fidelity="author-code")

    def score(self, image):
        return image - image.mean()
"""


def write_plugin(folder, name):
    path = folder / f"{name}.py"
    path.write_text(PLUGIN.format(name=name))
    return path


def test_build_by_name_dict_and_config_file(tmp_path):
    config = tmp_path / "small_hat.py"
    config.write_text("method = dict(type='top_hat', size=3)")
    assert build_method("top_hat").footprint.shape == (5, 5)
    assert build_method("top_hat", size=7).footprint.shape == (7, 7)
    assert build_method(dict(type="top_hat", size=3)).parameters == {"size": 3}
    built = build_method(config)
    assert built.name == "small_hat"
    assert built.footprint.shape == (3, 3)
    assert METHODS.build(dict(type="top_hat")).name == "top_hat"


@pytest.mark.parametrize("near", ["tophat", "top-hat", "top_hats"])
def test_unknown_name_gives_the_nearest(near):
    with pytest.raises(UsageError, match="did you mean top_hat"):
        build_method(near)


def test_unknown_option_gives_the_nearest():
    with pytest.raises(UsageError, match="unknown option of top_hat 'sise'; did you mean size"):
        build_method("top_hat", sise=3)
    with pytest.raises(UsageError, match="did you mean threshold"):
        build_method("top_hat", treshold="fixed(0)")


def test_missing_or_empty_config_file(tmp_path):
    with pytest.raises(UsageError, match="no configuration file"):
        build_method(tmp_path / "none.py")
    empty = tmp_path / "empty.py"
    empty.write_text("model = 1")
    with pytest.raises(UsageError, match="defines no `method"):
        build_method(empty)
    with pytest.raises(UsageError, match="needs a type"):
        build_method(dict(size=3))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("method = dict(type='ipi'", r"broken\.py cannot be read: SyntaxError"),
        ("_base_ = 'none.py'", r"broken\.py cannot be read: FileNotFoundError: .*none\.py"),
        ("method = 'ipi'", r"broken\.py defines no `method"),
        ("method = dict(size=3)", r"broken\.py defines no `method"),
    ],
)
def test_a_broken_config_file_is_named_in_one_line(tmp_path, text, reason):
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        build_method(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("top_hat", {"size": 0}),
        ("max_median", {"size": -1}),
        ("ipi", {"patch_size": 0}),
        ("nram", {"step": 0}),
        ("ript", {"patch_size": 2.5}),
        ("pstnn", {"max_iterations": 0}),
        ("mslstipt", {"patch_size": 0}),
        ("mslstipt", {"group_size": 0}),
    ],
)
def test_sizes_are_whole_and_positive(method, options):
    (name,) = options
    with pytest.raises(UsageError, match=f"{name} must be a whole number from 1 up"):
        build_method(method, **options)


@pytest.fixture
def register():
    """Registers something for the length of a test."""
    names = []

    def add(name, module):
        names.append(name)
        METHODS.register_module(name, module=module)

    yield add
    for name in names:
        METHODS.module_dict.pop(name)


def test_what_is_no_method_is_told_so(register):
    register("a_function", lambda: None)
    with pytest.raises(ZooError, match=r"a_function is .* not a class; register a subclass of zoo\.Detector"):
        build_method("a_function")
    register("no_card", type("NoCard", (Detector,), {}))
    with pytest.raises(ZooError, match="no_card has no card"):
        build_method("no_card")


def test_a_network_that_no_one_builds_is_told_in_one_line(register):
    register("unbuilt", type("Unbuilt", (NeuralDetector,), {"card": MethodCard(title="Unbuilt", family="deep")}))
    with pytest.raises(UsageError, match=r"^method unbuilt does not build: .* Unbuilt .*build_network") as told:
        build_method("unbuilt")
    assert "\n" not in str(told.value)


class Narrow(Detector):
    card = MethodCard(title="Narrow", fidelity="author-code", notes=("As the author has it.",))

    def __init__(self, *, size=5, side="right", **kwargs):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError("size is too\nsmall")

    def score(self, image):
        return image


def test_errors_of_a_constructor_name_the_method(register):
    register("narrow", Narrow)
    with pytest.raises(UsageError, match="method narrow does not build: size is too small"):
        build_method("narrow", size=0)
    with pytest.raises(UsageError, match="method narrow does not build: '<'"):
        build_method("narrow", size="big")


def test_the_card_follows_from_the_options(register):
    register("narrow", Narrow)
    assert build_method("narrow", size=5, threshold=3).card is Narrow.card
    assert build_method("narrow", size=3).card.fidelity_label == "author-code (size changed)"


def test_a_configuration_carries_its_card(register, tmp_path):
    register("narrow", Narrow)
    config = tmp_path / "port.py"
    config.write_text(
        "method = dict(type='narrow', size=3, side='left')\n"
        "card = dict(fidelity='public-port', notes=['As the port has it.'])\n"
    )
    port = build_method(config).card
    assert (port.title, port.fidelity_label, port.notes) == ("Narrow", "public-port", ("As the port has it.",))
    assert build_method(config, size=4).card.fidelity_label == "public-port (size changed)"
    assert Narrow.card.fidelity == "author-code"
    config.write_text("method = dict(type='narrow')\ncard = dict(fidelty='public-port')\n")
    with pytest.raises(UsageError, match=r"unknown entry of the card in .*port\.py, 'fidelty'; did you mean fidelity"):
        build_method(config)
    config.write_text("method = dict(type='narrow')\ncard = dict(fidelity='perfect')\n")
    with pytest.raises(UsageError, match="the card of port: fidelity must be one of"):
        build_method(config)


@pytest.mark.parametrize("value", [(9,), [9]])
def test_a_list_is_the_tuple_that_it_was_before_json(value):
    assert build_method(dict(type="tllcm", scales=value)).card.fidelity_scope == ""
    assert build_method(dict(type="tllcm", scales=[5, 9])).card.fidelity_scope == "scales changed"


@pytest.mark.parametrize(
    ("name", "fidelity", "note"),
    [
        ("acmnet_quarter", "author-code", "518,419"),
        ("acmnet_pytorch", "public-port", "519,843"),
        ("acmnet_fpn", "public-port", "387,187"),
        ("acmnet_1ch", "public-port", "397,823"),
        ("alcnet_localsk", "author-code", "378,459"),
        ("alcnet_basicirstd", "public-port", "519,889"),
        ("uiunet_1ch", "public-port", "50,540,309"),
        ("rdian_basicirstd", "public-port", "216,758"),
        ("istdunet_basicirstd", "public-port", "2,761,138"),
        ("ipi_paper", "author-code (weight_side, decay, floor, rank_stop changed)", "rank_stop=False does not"),
        ("mslstipt_30", "author-code (v1; one frame is an adaptation; patch_size changed)", "one frame"),
    ],
)
def test_cards_of_configurations_are_their_own(name, fidelity, note):
    detector = build_method(name)
    assert detector.card.fidelity_label == fidelity
    assert note in " ".join(detector.card.notes)
    if isinstance(detector, NeuralDetector):
        assert f"{detector.num_parameters:,} parameters" in detector.card.notes[0]


def test_plugin_file_becomes_a_method(tmp_path):
    path = write_plugin(tmp_path, "bright_plugin")
    load_plugin(path)
    load_plugin(path)  # a second time is not a second registration
    assert "bright_plugin" in list_methods()
    assert build_method("bright_plugin").card.title == "Bright"
    METHODS.module_dict.pop("bright_plugin")


def test_custom_imports_in_a_config(tmp_path, monkeypatch):
    write_plugin(tmp_path, "bright_import")
    monkeypatch.syspath_prepend(tmp_path)
    config = tmp_path / "config.py"
    config.write_text(
        textwrap.dedent("""
        custom_imports = dict(imports=["bright_import"])
        method = dict(type="bright_import")
        """)
    )
    assert build_method(config).card.title == "Bright"
    METHODS.module_dict.pop("bright_import")


def test_entry_point_becomes_a_method(tmp_path, monkeypatch):
    from irsam_zoo.zoo.plugins import load_entry_points
    from irsam_zoo.zoo.specs import method_config

    write_plugin(tmp_path, "bright_entry")
    info = tmp_path / "bright-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bright\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[irsam_zoo.methods]\nbright = bright_entry\n")
    monkeypatch.syspath_prepend(tmp_path)
    load_entry_points.cache_clear()
    assert method_config("bright_entry") == ("bright_entry", {"type": "bright_entry"})
    assert build_method("bright_entry").card.title == "Bright"
    METHODS.module_dict.pop("bright_entry")
    load_entry_points.cache_clear()


@pytest.mark.slow
def test_a_network_of_an_entry_point_is_trained_in_a_worker_and_converted(tmp_path):
    (tmp_path / "dist_net.py").write_text(
        "from torch import nn\n"
        "from irsam_zoo.zoo import METHODS, MethodCard\n"
        "from irsam_zoo.zoo.neural import NeuralDetector\n"
        "@METHODS.register_module('dist_net')\n"
        "class DistNet(NeuralDetector):\n"
        "    card = MethodCard(title='Dist', family='deep')\n"
        "    in_channels, mean, std = 1, (0.0,), (255.0,)\n"
        "    def build_network(self):\n"
        "        return nn.Conv2d(1, 1, 3, padding=1)\n"
        "    def loss(self, outputs, masks):\n"
        "        return {'l': nn.functional.binary_cross_entropy_with_logits(outputs, masks)}\n"
    )
    info = tmp_path / "dist-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dist\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[irsam_zoo.methods]\ndist = dist_net\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    def command(*arguments):
        program = Path(__file__).parents[2] / "run_benchmark.py"
        done = subprocess.run(
            [sys.executable, program, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    assert command("convert", "dist_net", "none.pth", "x.safetensors") == (1, "error: no checkpoint file none.pth\n")
    # In a worker, which trains, and then in this process.
    status, told = command(
        "--methods", "dist_net", "--datasets", "synthetic", "--limit", "1", "--train", "smoke", "--jobs", "1"
    )
    assert status == 0, told
    (weights,) = (tmp_path / "checkpoints").glob("dist_net_synthetic_smoke-*.safetensors")
    assert command("convert", "dist_net", str(weights), "x.safetensors")[0] == 0


def test_broken_plugin_names_the_file_and_the_error(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import no_such_module")
    with pytest.raises(ZooError, match=r"broken\.py does not import: ModuleNotFoundError"):
        load_plugin(path)
    with pytest.raises(UsageError, match="no plug-in file"):
        load_plugin(tmp_path / "none.py")
    (tmp_path / "notes.txt").write_text("x = 1")
    with pytest.raises(UsageError, match=r"notes\.txt is no Python file"):
        load_plugin(tmp_path / "notes.txt")


def test_a_plugin_imports_its_neighbours_and_depends_on_them(tmp_path):
    from irsam_zoo.results.code_version import code_version

    (tmp_path / "neighbour_of_mine.py").write_text("BIAS = 1\n")
    path = write_plugin(tmp_path, "with_neighbour")
    path.write_text("import neighbour_of_mine\n" + path.read_text())
    module = load_plugin(path)
    assert module.neighbour_of_mine.BIAS == 1
    before = code_version(module.__name__)
    (tmp_path / "neighbour_of_mine.py").write_text("BIAS = 2\n")
    assert code_version(module.__name__) != before


def test_a_configuration_names_its_checkpoint_from_the_projects_folder_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, options = method_config(ROOT / "configs" / "cross_set" / "acmnet_on_nudt-sirst.py")
    assert Path(options["checkpoint"]).parent == ROOT / "checkpoints" / "single"
    (tmp_path / "own.py").write_text("method = dict(type='acmnet', checkpoint='own.safetensors')")
    assert method_config("own.py")[1]["checkpoint"] == "own.safetensors"
