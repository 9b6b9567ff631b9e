"""Counts what the fault suite tried, and tells it at the end."""

from collections import Counter

import pytest

PROPERTY = "faults tried"


@pytest.fixture
def tried(request):
    """``tried(kind, n=1)``: count `n` more faults, inputs or payloads of a kind, before each is tried."""

    def count(kind, n=1):
        request.node.user_properties.append((PROPERTY, [kind, n]))

    return count


def pytest_terminal_summary(terminalreporter):
    """One line a kind. Of a test that failed, everything since the last count is lost."""
    number, lost = Counter(), Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            counts = [value for name, value in report.user_properties if name == PROPERTY]
            for kind, n in counts if report.when == "call" else []:
                number[kind] += n
            if outcome == "failed" and counts:
                kind, n = counts[-1]
                lost[kind] += n
    if not number:
        return
    terminalreporter.section("faults")
    for kind in sorted(number):
        terminalreporter.write_line(f"{number[kind]:6d} {kind}, {lost[kind]} lost")
    terminalreporter.write_line(f"{number.total():6d} tried in all, {lost.total()} lost")
