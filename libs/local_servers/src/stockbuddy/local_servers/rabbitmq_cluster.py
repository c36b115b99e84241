"""A private RabbitMQ cluster of three nodes on this machine, of which the network between them can be cut."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from urllib.parse import urlsplit

from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.process_reaper import ProcessReaper
from stockbuddy.local_servers.rabbitmq import ClusterMembership, LocalRabbitMQ, start_epmd

NODES = 3

# What docs/operations.md recommends: a node without a majority pauses itself, and its clients use another.
_CONFIGURATION = "cluster_partition_handling = pause_minority"

# A node that does not respond is considered lost after about this time; by default after a minute.
_TICK_SECONDS = 8
_WRONG_COOKIE = "partitioned"


class LocalRabbitMQCluster:
    """Data in `directory`; call `start` to run it. `nodes[0]` is the first one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cookie = secrets.token_hex(16)
        self._epmd_port = free_port()
        self.nodes: list[LocalRabbitMQ] = []
        for number in range(NODES):
            folder = directory / f"node-{number}"
            folder.mkdir(parents=True)
            membership = ClusterMembership(
                epmd_port=self._epmd_port,
                cookie=self._cookie,
                first_node=self.nodes[0].node_name if self.nodes else None,
                configuration=_CONFIGURATION,
                erlang_arguments=f"-kernel net_ticktime {_TICK_SECONDS}",
            )
            self.nodes.append(LocalRabbitMQ(folder, membership))

    @property
    def url(self) -> str:
        """With the addresses of all nodes."""
        addresses = ",".join(urlsplit(node.url).netloc.rpartition("@")[2] for node in self.nodes)
        return f"amqp://guest:guest@{addresses}/"

    def start(self) -> None:
        self._epmd = start_epmd(self._epmd_port, self._directory)
        self._reaper = ProcessReaper([self._epmd.pid], signal.SIGKILL)
        for node in self.nodes:
            node.start()

    def isolate(self, isolated: LocalRabbitMQ) -> None:
        """Cut its connections to the other nodes, which it and they can't open again."""
        self._on_peers(isolated, f"erlang:set_cookie(Peer, {_WRONG_COOKIE}), erlang:disconnect_node(Peer)")

    def reconnect(self, isolated: LocalRabbitMQ) -> None:
        self._on_peers(isolated, f'erlang:set_cookie(Peer, list_to_atom("{self._cookie}"))')

    def _on_peers(self, node: LocalRabbitMQ, expression: str) -> None:
        """Evaluate the expression on the node for each `Peer`."""
        peers = ", ".join(f'list_to_atom("{peer.node_name}")' for peer in self.nodes if peer is not node)
        node.control("eval", f"[begin {expression} end || Peer <- [{peers}]].")

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self._reaper.dismiss()
        self._epmd.kill()
        self._epmd.wait()
