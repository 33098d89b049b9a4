"""What every test may use."""

import gc
import os

os.environ["PTB_TIMEDELTA"] = "1"  # read when the Telegram library is imported
gc.set_threshold(50_000, 20, 50)  # most of what is looked through again and again never goes

pytest_plugins = [
    "tests.tables",
    "tests.browser",
    "tests.postgres",
    "tests.public",
    "tests.backups",
]


def pytest_terminal_summary(terminalreporter):
    """What a test has to tell even when it passes: how long the restore drill took."""
    for report in terminalreporter.getreports("passed"):
        for name, words in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(words)
