"""Display names of devices, derived from `User-Agent` (ua-parser)."""

from ua_parser import parse

UNKNOWN = "Unknown device"


def device_name(user_agent: str | None) -> str:
    """`Firefox on Linux`, `Mobile Safari on iPhone`; of other clients their own name, such as `curl`."""
    if not user_agent:
        return UNKNOWN
    parsed = parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else None
    system = parsed.os.family if parsed.os else None
    if parsed.device and parsed.device.family not in ("Other", "Mac"):
        system = parsed.device.family
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:50] or UNKNOWN
