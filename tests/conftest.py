"""What every test may use."""

import os

os.environ["PTB_TIMEDELTA"] = "1"  # read when the Telegram library is imported

pytest_plugins = ["tests.tables", "tests.browser", "tests.postgres", "tests.public"]
