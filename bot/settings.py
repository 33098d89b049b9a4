"""Settings, read once from the environment; the only file that looks there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from content.schema import Role


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

    smtp_host: str | None = None
    """The mail server that staff are called through when someone may be unsafe; off if none."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` only for a mail server on this very machine."""
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    """Whom the calls come from (waymark@...)."""
    apprise_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Channels that staff are called into, with spaces between; needs the extra `alerts`."""

    telegram_token: SecretStr | None = None
    telegram_api_base: str = "https://api.telegram.org/bot"
    telegram_file_base: str = "https://api.telegram.org/file/bot"
    telegram_webhook_url: str | None = None
    """Where Telegram is to post (https://.../telegram/webhook); polling if none."""
    telegram_webhook_secret: SecretStr | None = None

    oidc_issuer: str | None = None
    """The council's own sign-in: the issuer as its tokens say it. Local accounts only, if none."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_tenants: Annotated[tuple[str, ...], NoDecode] = ()
    """Entra ID: the tenants (`tid`, with commas between) whose people may come in. Empty for a
    provider whose tokens name no tenant."""
    oidc_role_claim: str = "roles"
    oidc_roles: dict[str, Role] = {role.value: role for role in Role}
    """JSON: what the provider calls a role, and which of ours it is."""
    breached_passwords: FilePath | None = None
    """SHA-1 of stolen passwords, one a line and in order, as Have I Been Pwned hands them out."""

    @field_validator("oidc_tenants", mode="before")
    @classmethod
    def _with_commas(cls, given: str | tuple[str, ...]) -> tuple[str, ...]:
        parts = given.split(",") if isinstance(given, str) else given
        return tuple(part.strip() for part in parts if part.strip())

    @field_validator("apprise_urls", mode="before")
    @classmethod
    def _with_spaces(cls, given: str | tuple[str, ...]) -> tuple[str, ...]:
        return tuple(given.split()) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Settings:
        if self.smtp_host is None:
            return self
        if not self.smtp_from or "@" not in self.smtp_from:
            raise ValueError(
                "WAYMARK_SMTP_HOST needs WAYMARK_SMTP_FROM beside it: an e-mail address"
            )
        if self.smtp_security == "none" and not _is_here(self.smtp_host):
            raise ValueError("WAYMARK_SMTP_SECURITY can be none only for a server on this machine")
        return self

    @model_validator(mode="after")
    def _council_sign_in_is_whole(self) -> Settings:
        if self.oidc_issuer is None:
            return self
        if not self.oidc_client_id:
            raise ValueError("WAYMARK_OIDC_ISSUER needs WAYMARK_OIDC_CLIENT_ID beside it")
        where = urlsplit(self.oidc_issuer)
        if where.scheme != "https" and not (where.scheme == "http" and _is_here(where.hostname)):
            raise ValueError("WAYMARK_OIDC_ISSUER must be an https:// address")
        return self

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


def _is_here(host: str | None) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")
