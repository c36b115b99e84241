"""Node, as the build of the clients has found or installed it."""

from deploy.build_console import find_node, install_node, locked

with locked():
    NODE = str((find_node() or install_node())[0])
