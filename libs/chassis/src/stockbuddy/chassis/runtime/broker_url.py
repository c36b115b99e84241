"""The addresses in a URL of RabbitMQ, which names one broker or the nodes of a cluster:
`amqp://user:password@one:5672,two:5672/`."""

from urllib.parse import unquote, urlsplit

SCHEMES = ("amqp://", "amqps://")


def broker_urls(url: str) -> list[str]:
    """A URL for each node, in the order given. Raises ValueError."""
    if not url.startswith(SCHEMES):
        raise ValueError("the broker is RabbitMQ: its URL begins with amqp:// or amqps://")
    try:
        urls = _urls_of_nodes(url)
        is_usable = all(node.hostname and node.port != 0 for node in map(urlsplit, urls))
    except ValueError:  # its text may contain the password
        is_usable = False
    if not is_usable:
        raise ValueError(
            "each node of the broker has a host, and a port if it is not the default one; in a password, characters"
            " such as /, ? and # are percent-encoded"
        )
    return urls


def _urls_of_nodes(url: str) -> list[str]:
    parts = urlsplit(url)
    credentials, at, addresses = parts.netloc.rpartition("@")
    return [parts._replace(netloc=f"{credentials}{at}{address}").geturl() for address in addresses.split(",")]


def virtual_host_of(url: str) -> tuple[str, str]:
    """What the URL leads to: the addresses of the broker, and the virtual host, which is by default `/`."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower(), unquote(parts.path.removeprefix("/")) or "/"
