"""The `clickhouse` settings as the sink and its readers want them."""

from config.settings import ClickHouseSettings
from sinks.clickhouse.address import Address


def clickhouse_address(settings: ClickHouseSettings) -> Address:
    """Where ClickHouse is; its password is in it, and never shown."""
    return Address(
        host=settings.host,
        port=settings.port,
        database=settings.database,
        user=settings.user,
        password=settings.password.get_secret_value(),
        secure=settings.secure,
        compression=settings.compression,
    )
