"""How a method gets into the registry, and what a wrong name says."""

import textwrap

import pytest

from zoo import METHODS, UsageError, ZooError, build_method, list_methods, load_plugin

PLUGIN = """
from zoo import METHODS, Detector, MethodCard

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
    from zoo.registry import load_entry_points

    write_plugin(tmp_path, "bright_entry")
    info = tmp_path / "bright-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bright\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[irsam_zoo.methods]\nbright = bright_entry\n")
    monkeypatch.syspath_prepend(tmp_path)
    load_entry_points.cache_clear()
    assert build_method("bright_entry").card.title == "Bright"
    METHODS.module_dict.pop("bright_entry")
    load_entry_points.cache_clear()


def test_broken_plugin_names_the_file_and_the_error(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import no_such_module")
    with pytest.raises(ZooError, match=r"broken\.py does not import: ModuleNotFoundError"):
        load_plugin(path)
    with pytest.raises(UsageError, match="no plug-in file"):
        load_plugin(tmp_path / "none.py")
