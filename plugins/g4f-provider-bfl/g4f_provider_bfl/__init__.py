"""Black Forest Labs in its own dialect (`wire/`): a job for each picture, which is then waited for (`waiting.py`)."""

from __future__ import annotations

import asyncio
import math

import attrs

from g4f.context import Context
from g4f.drawing import draw_several
from g4f.errors import APIStatusError, InvalidInputError
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.images import ImageRequest, Images
from g4f_provider_bfl.waiting import wait_for
from g4f_provider_bfl.wire import FLUX, Job, decode_job, decode_result, encode_result

_NOTHING_BEGUN = (429, 503)  # what a service answers that took no job


class BlackForestLabs(HttpProvider):
    """Images by Black Forest Labs; what it is and needs stands in `BlackForestLabs.toml`."""

    wire = FLUX

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures, each with a job of its own."""
        now = asyncio.get_running_loop().time
        end = now() + (math.inf if context.timeout.total is None else context.timeout.total)

        async def draw(request: ImageRequest, context: Context) -> Images:
            job = await self._begin(request, context)
            return await wait_for(lambda: self._ask(job, context), job.id, lambda: end - now())

        return await draw_several(draw, request, context)

    async def _begin(self, request: ImageRequest, context: Context) -> Job:
        """Begin a job. It costs, so that nothing is repeated that may have begun one."""
        sent = self.wire.encode_image(request, warn=context.warn)
        context.commit()
        try:
            job = decode_job(await self.send(sent, context))
        except APIStatusError as error:
            if error.status_code in _NOTHING_BEGUN:
                context.withdraw()
            raise
        context.commit(job.id)
        return job

    async def _ask(self, job: Job, context: Context) -> Images | None:
        """Ask for a job's picture; None where it is not there yet."""
        try:
            response = await self.send(encode_result(job), context)
        except InvalidInputError:  # the job names an address that the key does not go to, as behind a gateway
            response = await self.send(encode_result(attrs.evolve(job, polling_url="")), context)
        return decode_result(response, job)
