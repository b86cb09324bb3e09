"""The `clickhouse` settings as the sink and its readers want them."""

from config.wires import ClickHouseSettings
from sinks.clickhouse.address import Address, Tls


def clickhouse_address(settings: ClickHouseSettings) -> Address:
    """Where ClickHouse is; its password is in it, and never shown."""
    return Address(
        host=settings.host,
        port=settings.port,
        database=settings.database,
        user=settings.user,
        password=settings.password.get_secret_value(),
        tls=_tls(settings) if settings.secure else None,
        compression=settings.compression,
    )


def _tls(settings: ClickHouseSettings) -> Tls:
    password = settings.key_password
    return Tls(
        ca_file=settings.ca_file,
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
        key_password=password.get_secret_value() if password else "",
        verify=settings.verify,
    )
