"""The registrar where it must not begin."""

import pytest

from agents.registrar import Registrar, RegistrarError
from config.settings import KafkaSettings, Settings
from tests.rules.mock_cluster import mock_cluster


def test_no_change_goes_unaudited() -> None:
    with mock_cluster() as cluster:
        settings = Settings(kafka=KafkaSettings(bootstrap=cluster, transactions=False))
        with (
            pytest.raises(RegistrarError, match=r"vip\.audit is missing.*`vipcare topics create`"),
            Registrar(settings, "carl"),
        ):
            pytest.fail("it began")
