"""By e-mail: a letter given to a mail server (SMTP)."""

from __future__ import annotations

import asyncio
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from urllib.parse import urlsplit

import aiosmtplib as smtp

from bot.calling.letter import Letter, Outcome
from bot.settings import Settings

PATIENCE = 20.0
"""Seconds for the whole of it: less than a call is left alone for (bot/store/calls.py)."""


class Mail:
    """One mail server, a connection for each letter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._here = urlsplit(settings.address).hostname or "localhost"

    async def send(self, letter: Letter) -> Outcome:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._hand_over(self._written(letter))
        except (TimeoutError, smtp.SMTPTimeoutError):
            return Outcome("again", "slow")
        except smtp.SMTPAuthenticationError:
            return Outcome("again", "sign-in")
        except smtp.SMTPRecipientsRefused as refused:
            return _refused(min(one.code for one in refused.recipients))
        except (smtp.SMTPSenderRefused, smtp.SMTPDataError) as refused:
            return _refused(refused.code)
        except (smtp.SMTPException, OSError, ssl.SSLError):
            return Outcome("again", "down")
        return Outcome("sent")

    def _written(self, letter: Letter) -> EmailMessage:
        """The same letter sent twice has the same name, so that it is shown once."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.smtp_from
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = localtime()
        message["Message-ID"] = f"<{letter.id}@{self._here}>"
        message["Auto-Submitted"] = "auto-generated"
        if letter.urgent:
            message["Importance"] = "high"
        message.set_content(letter.text)
        return message

    async def _hand_over(self, message: EmailMessage) -> None:
        settings = self._settings
        password = settings.smtp_password
        await smtp.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=password.get_secret_value() if password else None,
            local_hostname=self._here,
            timeout=PATIENCE / 2,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
        )


def _refused(code: int) -> Outcome:
    return Outcome("failed", "refused") if code >= 500 else Outcome("again", "busy")
