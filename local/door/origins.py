"""Who may ask what serves on loopback without keys: programs here, no page of another origin.

A browser runs pages of strangers on this machine, and they can ask anything that listens on it. It
says whose page asks (`Origin`) and by which name (`Host`): a page that had its own name resolve to
this machine has a `Host` that is no name of loopback.
"""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit


def refusal(host: str, origin: str | None, *, names: Collection[str] = ()) -> str | None:
    """Return why a request is to be refused, None if it is not.

    `host` and `origin` are its headers; `names` are hosts that are this machine's, too.
    """
    if not is_loopback(host) and _name(host) not in names:
        return f"This serves this machine only, and is not called {host!r}."
    if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
        return f"This has no keys, so it serves no page of another origin ({origin})."
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a `Host` names loopback: nobody can have such a name lead elsewhere."""
    name = _name(host)
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that hold no address
        return ""
