"""Settings, read once from the environment; the only file that looks there."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting, each with a default that is right for one machine and safe to publish."""

    model_config = SettingsConfigDict(
        env_prefix="WAYMARK_", hide_input_in_errors=True, extra="ignore", frozen=True
    )

    authority: str = "staffordshire"
    """Which pack of content/authorities is served."""
    role: Literal["all", "public", "staff"] = "all"
    """What this process does. `public` speaks with senders and can't open what they sent."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data_dir: Path = Path(".waymark")
    """Where the embedded database and the keys are kept."""
    database_url: str | None = None
    """A PostgreSQL address (postgresql+psycopg://...); the embedded SQLite database if none."""
    public_address: str | None = None
    """How people reach this site (https://...), for links in messages; http://host:port if none."""
    behind_proxy: int = Field(default=0, ge=0, le=5)
    """How many proxies of ours stand before it and add to X-Forwarded-For; it is believed only
    that far. Without it nobody on an https site is counted by where they come from."""
    demo: bool = True
    """Invented staff and submissions to look at. Turn off before anyone real uses it."""
    audit_anchor: str | None = None
    """Where the audit is anchored every hour: a file on another machine's disk, or an address
    (https://...) that takes JSON. With none, a cut at its end can go unnoticed."""
    scan_command: str | None = None
    """What looks for harm in a file that is sent (clamdscan -): given it on standard input, it
    ends with 0 for clean and 1 for found. Without one, staff see that files were not scanned."""
    backup_dir: Path | None = None
    """Where a backup is written every night: best a disk of another machine. None if not set."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    telegram_token: SecretStr | None = None
    telegram_api_base: str = "https://api.telegram.org/bot"
    telegram_file_base: str = "https://api.telegram.org/file/bot"
    telegram_webhook_url: str | None = None
    """Where Telegram is to post (https://.../telegram/webhook); polling if none."""
    telegram_webhook_secret: SecretStr | None = None

    @model_validator(mode="after")
    def _webhook_has_a_secret(self) -> Settings:
        if self.telegram_webhook_url and not self.telegram_webhook_secret:
            raise ValueError(
                "WAYMARK_TELEGRAM_WEBHOOK_URL needs WAYMARK_TELEGRAM_WEBHOOK_SECRET beside it: "
                "any long random word of letters, digits, _ and -"
            )
        return self

    @property
    def address(self) -> str:
        """The site's own address, without a closing slash."""
        return (self.public_address or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether people come over HTTPS, so that cookies may insist on it."""
        return self.address.startswith("https://")

    @property
    def database(self) -> str:
        if self.database_url:
            return self.database_url
        return f"sqlite+aiosqlite:///{self.data_dir / 'waymark.db'}"
