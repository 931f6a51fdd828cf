"""Handlers for the operator's programs: liveness, readiness and metrics of the process."""

import asyncio

import prometheus_client
import sqlalchemy as sa

from capstone_chat.handlers.base import BaseHandler
from capstone_chat.storage import engines

READINESS_TIMEOUT = 2.0
"""Maximum number of seconds in which the database must answer to count as ready."""


class OperatorHandler(BaseHandler):
    """Base of the handlers that do not read a session, so that they work without the database."""

    async def prepare(self) -> None:
        """Set the media type. The base class would read the session from the database here."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")


class LivenessHandler(OperatorHandler):
    """Liveness: the process runs, and its event loop is not blocked."""

    async def get(self) -> None:
        """GET /healthz: respond with 200."""
        self.finish("alive\n")


class ReadinessHandler(OperatorHandler):
    """Readiness: whether a proxy should send requests to this process."""

    async def get(self) -> None:
        """GET /readyz: respond with 200 if the process can serve.

        The status is 503, with the reason as text, if the database or the broker does not answer,
        or during the drain period of a shutdown.
        """
        reason = await self.unready_reason()
        self.set_status(503 if reason else 200)
        self.finish(f"{reason or 'ready'}\n")

    async def unready_reason(self) -> str | None:
        """Return the reason why the process is not ready, or None."""
        if self.chat.hub.draining:
            return "draining"
        try:
            async with asyncio.timeout(READINESS_TIMEOUT):
                await self.chat.database.read(
                    lambda connection: connection.scalar(sa.text("SELECT 1"))
                )
        except (sa.exc.SQLAlchemyError, TimeoutError) as error:
            return engines.unhealthy_reason(error)
        return self.chat.hub.unhealthy_reason()


class MetricsHandler(OperatorHandler):
    """Metrics for Prometheus. They are not public: a proxy should refuse all other clients."""

    async def get(self) -> None:
        """GET /metrics: respond with all metrics in the text format of Prometheus."""
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.finish(prometheus_client.generate_latest(self.chat.metrics.registry))
