"""Pages for staff: sign-in, queue, submission."""

from fastapi import APIRouter, Depends

from web.security import same_site
from web.staff import (
    access,
    account,
    alerts,
    audit,
    keeping,
    queue,
    readers,
    reply,
    requests,
    sharing,
    sign_in,
    submission,
)

router = APIRouter(dependencies=[Depends(same_site)])
PARTS = (
    sign_in, account, queue, submission, reply, alerts, audit, readers, access, sharing,
    requests, keeping,
)  # fmt: skip
for part in PARTS:
    router.include_router(part.router, prefix="/staff")
