"""Pages for staff: sign-in, queue, submission."""

from fastapi import APIRouter, Depends

from web.security import same_site
from web.staff import account, alerts, audit, queue, readers, reply, sign_in, submission

router = APIRouter(dependencies=[Depends(same_site)])
for part in (sign_in, account, queue, submission, reply, alerts, audit, readers):
    router.include_router(part.router, prefix="/staff")
