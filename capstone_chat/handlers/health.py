"""What an operator's programs ask: is it alive, can it serve, and how much does it do."""

import asyncio

import prometheus_client
import sqlalchemy as sa

from capstone_chat.handlers.base import BaseHandler
from capstone_chat.storage import engines

READINESS_TIMEOUT = 2.0
"""Seconds in which the database must answer."""


class OperatorHandler(BaseHandler):
    """A request without a visitor: nobody's session is looked up, so a broken database is no
    trouble here."""

    async def prepare(self) -> None:
        """Look nothing up."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")


class LivenessHandler(OperatorHandler):
    """/healthz: the process runs and its loop turns."""

    async def get(self) -> None:
        """Answer 200."""
        self.finish("alive\n")


class ReadinessHandler(OperatorHandler):
    """/readyz: whether a proxy should send visitors here."""

    async def get(self) -> None:
        """Answer 200 when all that it needs answers and it is not on its way out, else 503."""
        reason = await self.unready_reason()
        self.set_status(503 if reason else 200)
        self.finish(f"{reason or 'ready'}\n")

    async def unready_reason(self) -> str | None:
        """Return why the chat is not ready, or None."""
        if self.chat.hub.draining:
            return "draining"
        try:
            async with asyncio.timeout(READINESS_TIMEOUT):
                await self.chat.database.read(
                    lambda connection: connection.scalar(sa.text("SELECT 1"))
                )
        except (sa.exc.SQLAlchemyError, TimeoutError) as error:
            return engines.unhealthy_reason(error)
        return self.chat.broker.unhealthy_reason()


class MetricsHandler(OperatorHandler):
    """/metrics, for Prometheus. A proxy should keep it from strangers."""

    async def get(self) -> None:
        """Answer in the text format."""
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.finish(prometheus_client.generate_latest(self.chat.metrics.registry))
