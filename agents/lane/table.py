"""The store `lane://` under Faust's table: it restores the lane's local copies from the changelog.

Faust decides what to restore and when; the records are read by the partition runners alone.
"""

from typing import TYPE_CHECKING, Any, cast

from faust.stores import STORES
from faust.stores.base import Store
from faust.types import TP

from agents.fail_points import fail_point

if TYPE_CHECKING:
    from agents.lane.lane import Lane

SCHEME = "lane"


class LaneStore(Store[bytes, bytes]):
    """What Faust asks of a table's store, answered by the lane."""

    @property
    def lane(self) -> "Lane":
        lane: Lane = cast(Any, self.app).lane
        return lane

    def persisted_offset(self, tp: TP) -> int | None:
        """The changelog offset that is in the local copy, None while it is not open.

        The consumer opens the copies before recovery needs them (see its `highwaters`).
        """
        store = self.lane.stores.opened.get(tp.partition)
        mark = store.mark() if store is not None else None
        return None if mark is None else mark.offset

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """The copies keep their own mark, in the same write as the records."""

    def apply_changelog_batch(self, batch: Any, to_key: Any, to_value: Any) -> None:
        """The lane's copier wrote it before Faust heard of it."""

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],  # noqa: ARG002  # the hook's signature
        generation_id: int = 0,  # noqa: ARG002  # the hook's signature
    ) -> None:
        """Close the copies of partitions that went to another worker."""
        kept = {tp.partition for tp in assigned if self._is_ours(tp)}
        self.lane.stores.close(
            {tp.partition for tp in revoked if self._is_ours(tp)}.difference(kept)
        )
        fail_point("copies-closed")

    async def on_recovery_completed(
        self,
        active_tps: set[TP],
        standby_tps: set[TP],  # noqa: ARG002  # the hook's signature
    ) -> None:
        """A worker without partitions is ready now, one with some after its seek."""
        if not active_tps:
            self.lane.idle()

    def _is_ours(self, tp: TP) -> bool:
        return tp.topic in self.app.tables.changelog_topics

    async def stop(self) -> None:
        self.lane.close()
        await super().stop()

    def reset_state(self) -> None:
        raise NotImplementedError("remove the worker's data folder instead")

    async def backup_partition(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("the changelog is the backup")

    def restore_backup(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("the changelog is the backup")


def register() -> None:
    """Make `lane://` known to Faust."""
    STORES.aliases[SCHEME] = f"{__name__}:{LaneStore.__name__}"
