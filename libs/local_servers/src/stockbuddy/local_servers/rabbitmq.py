"""A private RabbitMQ node from the programs installed on this machine; needs no privileges.

Ports, data, configuration, cookie and port mapper (epmd) are its own, so it does not affect other nodes.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.process_reaper import ProcessReaper
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 60.0
POLL_INTERVAL_SECONDS = 0.05

# Debian's /usr/sbin/rabbitmq-server requires the user rabbitmq; the script that it wraps does not.
_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
_SEARCH_PATH = f"{_SCRIPTS}:{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/opt/homebrew/sbin"

_CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
management_agent.disable_metrics_collector = true
log.file.level = warning
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 33554432
"""

_JOIN = """cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = """


class LocalRabbitMQError(RuntimeError):
    """RabbitMQ could not be started; the message contains what to install, or the node's output."""


@dataclass(frozen=True, slots=True)
class ClusterMembership:
    """What the nodes of a cluster share. `epmd_port`: of the running port mapper; `first_node`: None for itself."""

    epmd_port: int
    cookie: str
    first_node: str | None
    configuration: str
    erlang_arguments: str


class LocalRabbitMQ:
    """A node with its data in `directory`; call `start` to run it."""

    def __init__(self, directory: Path, membership: ClusterMembership | None = None) -> None:
        self._directory = directory
        self._membership = membership
        self._port, self._management_port = free_port(), free_port()
        self._epmd_port = membership.epmd_port if membership else free_port()
        self._distribution_port = free_port()
        self.node_name = f"stockbuddy-{self._port}@localhost"
        self._output = directory / "output.log"
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._reaper: ProcessReaper | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @property
    def management_url(self) -> str:
        return f"http://guest:guest@127.0.0.1:{self._management_port}"

    @property
    def virtual_hosts(self) -> VirtualHosts:
        return VirtualHosts(self.url, self.management_url)

    def start(self) -> None:
        if self._node is not None:
            return
        script = _find("rabbitmq-server")
        self._write_configuration()
        if self._epmd is None and self._membership is None:
            self._epmd = start_epmd(self._epmd_port, self._directory)
        self._node = self._spawn(script)
        self._renew_reaper()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.virtual_hosts.is_ready():
            if self._node.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise LocalRabbitMQError(f"RabbitMQ did not start:\n{self._output.read_text(errors='replace')[-4000:]}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def stop(self) -> None:
        if self._node is None:
            return
        self._node.terminate()
        try:
            self._node.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._node.kill()
            self._node.wait()
        self._node = None
        self._renew_reaper()

    def kill(self) -> None:
        if self._node is None:
            return
        self._node.kill()
        self._node.wait()
        self._node = None
        self._renew_reaper()

    def lose_data(self) -> None:
        self.kill()
        shutil.rmtree(self._directory / "data")

    def freeze(self) -> None:
        """The node keeps its connections and does not respond until `resume`."""
        assert self._node is not None
        self._node.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._node is not None
        self._node.send_signal(signal.SIGCONT)

    def control(self, *arguments: str) -> None:
        command = [_find("rabbitmqctl"), "--node", self.node_name, *arguments]
        done = subprocess.run(
            command, cwd=self._directory, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LocalRabbitMQError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")

    def close(self) -> None:
        self.kill()
        if self._reaper is not None:
            self._reaper.dismiss()
            self._reaper = None
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with self._output.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _renew_reaper(self) -> None:
        """Let the reaper end the processes that run now if this process exits."""
        if self._reaper is not None:
            self._reaper.dismiss()
        running = [process.pid for process in (self._node, self._epmd) if process is not None]
        self._reaper = ProcessReaper(running, signal.SIGKILL) if running else None

    def _write_configuration(self) -> None:
        text = _CONFIGURATION.format(port=self._port, management_port=self._management_port)
        if self._membership is not None:
            first_node = self._membership.first_node or self.node_name
            text += f"{self._membership.configuration}\n{_JOIN}{first_node}\n"
            cookie = self._directory / ".erlang.cookie"
            if not cookie.exists():
                cookie.touch(mode=0o400)
                cookie.chmod(0o600)
                cookie.write_text(self._membership.cookie)
                cookie.chmod(0o400)
        (self._directory / "rabbitmq.conf").write_text(text)
        (self._directory / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _environment(self) -> dict[str, str]:
        here = self._directory
        arguments = self._membership.erlang_arguments if self._membership else ""
        return {
            "PATH": _SEARCH_PATH,
            "HOME": str(here),
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script then execs the node instead of waiting for it
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} {arguments}",
            "RABBITMQ_CONF_ENV_FILE": str(here / "no-environment.conf"),
            "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "no-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(here / "data"),
            "RABBITMQ_LOG_BASE": str(here / "logs"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(here / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(here / "schema"),
            "RABBITMQ_PID_FILE": str(here / "node.pid"),
        }


def start_epmd(port: int, directory: Path) -> subprocess.Popen[bytes]:
    """Start the port mapper before a node: started by the node, it would be a daemon that keeps running."""
    command = (_find("epmd"), "-port", str(port), "-address", "127.0.0.1")
    output = directory / "epmd.log"
    with output.open("ab") as file:
        epmd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not _listens(port):
        if epmd.poll() is not None or time.monotonic() > deadline:
            raise LocalRabbitMQError(f"epmd did not start:\n{output.read_text(errors='replace')}")
        time.sleep(POLL_INTERVAL_SECONDS)
    return epmd


def _find(program: str) -> str:
    found = shutil.which(program, path=_SEARCH_PATH)
    if found is None:
        raise LocalRabbitMQError(
            f"These tests need RabbitMQ, and `{program}` is not installed: install the package rabbitmq-server "
            "(Debian, Ubuntu: apt-get install rabbitmq-server; macOS: brew install rabbitmq), start Docker, "
            "or set STOCKBUDDY_TEST_BUS_URL to a broker with the management plugin"
        )
    return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
