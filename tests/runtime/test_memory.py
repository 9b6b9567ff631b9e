import platform
import subprocess
import sys

import pytest

from irsam_zoo import ROOT

SECOND_ARRAY_FAULTS = """
import resource
import numpy as np
{keeps}
np.ones(16_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(16_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
@pytest.mark.parametrize(
    "keeps",
    [
        "from irsam_zoo.zoo.memory import keep_freed_memory; assert keep_freed_memory()",
        "from irsam_zoo.zoo import build_method; build_method('top_hat')",
        "from irsam_zoo.zoo import build_method; build_method('acmnet')",
    ],
)
def test_a_second_large_array_comes_without_page_faults(keeps):
    code = SECOND_ARRAY_FAULTS.format(keeps=keeps)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30, "128 MB fresh from the kernel are 31250 pages, or 61 huge ones"
