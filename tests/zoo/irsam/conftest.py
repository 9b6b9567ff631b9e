import pytest
import torch


@pytest.fixture
def one_thread():
    """Stored float32 outputs were made on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
