"""`vipcare kafka`: one node of Apache Kafka in the foreground."""

from pathlib import Path

import click

from agents.cli.errors import UserError
from agents.cli.foreground import data_option, end_when_asked, port_option, run_until_asked
from agents.local.folder_lock import FolderError
from agents.local.kafka.jars import VERSION, KafkaUnavailableError, jars
from agents.local.kafka.node import KafkaNode, KafkaNodeError
from agents.local.ports import LOOPBACK, is_free


@click.command()
@port_option(9092)
@data_option(".vipcare/kafka", "its topics and its log are")
@click.option("--fetch", is_flag=True, help="Fetch Kafka from Maven, say how far it is, and end.")
def kafka(port: int, data: Path, fetch: bool) -> int:
    """Run one node of Apache Kafka until Ctrl-C, with transactions, on loopback.

    Needs Java 17 or newer and, the first time, Maven (`mvn`), which fetches Kafka (43 MB) into
    ~/.cache/vipcare. For a laptop and for tests; production is a cluster.
    """
    end_when_asked()
    try:
        jars(click.echo)
        return 0 if fetch else _serve(KafkaNode(data, port))
    except (KafkaUnavailableError, FolderError) as error:
        raise UserError(str(error)) from error
    except KafkaNodeError as error:
        click.echo(f"vipcare: {error}", err=True)
        return 1


def _serve(node: KafkaNode) -> int:
    node.take_folder()
    if node.port and not is_free(node.port):
        raise UserError(f"port {node.port} on {LOOPBACK} is taken: choose another, or 0 for any")
    click.echo(f"Apache Kafka {VERSION} starts; its log is {node.folder / 'kafka.log'}")
    return run_until_asked(node, "Kafka", f"Apache Kafka {VERSION}")
