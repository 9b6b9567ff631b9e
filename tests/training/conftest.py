"""A method small enough to be trained in a test."""

import pytest

CONFIG = """
method = dict(type="acmnet", blocks=1, input_size=64)
recipe = dict(
    steps={steps},
    batch_size=2,
    optimizer=dict(type="Adagrad", lr=0.05),
    schedule=dict({schedule}),
    augmentation=[
        dict(type="RandomFlip"), dict(type="RandomCrop", size={crop}, on_target=1.0), dict(type="GaussianBlur")
    ],
    saves=2,{more}
)
"""


@pytest.fixture
def write_config(tmp_path):
    """Writes ``small.py``, a configuration of ACMNet with a recipe, and returns its path."""

    def write(steps, more="", crop=64, schedule="type='PolyLR', power=0.9, eta_min=1e-6"):
        path = tmp_path / "small.py"
        path.write_text(CONFIG.format(steps=steps, more=more, crop=crop, schedule=schedule))
        return str(path)

    return write
