"""Other machines, reached by SSH. The only package that speaks it (paramiko, fabric).

Every connection is made by `connect`, which checks the host key of each hop before anything else
is sent; there is no other way in. Nothing here prints or reads a terminal by itself but
`attach`: questions go to an `Asker`, because who asks depends on the command.
"""

from typing import TYPE_CHECKING

from dlwa.hosts.ssh import _paramiko as _paramiko  # first: it decides what paramiko loads
from dlwa.hosts.ssh._connect import Connection, close_channel, connect
from dlwa.hosts.ssh._door import OnTerminal, connection
from dlwa.hosts.ssh._hostkeys import fingerprint
from dlwa.hosts.ssh._target import Asker, Target, resolve
from dlwa.hosts.ssh._terminal import attach

if TYPE_CHECKING:  # fabric is loaded by `connection`, when it is called
    from dlwa.hosts.ssh._fabric import LabConnection as LabConnection

__all__ = [
    "Asker",
    "Connection",
    "OnTerminal",
    "Target",
    "attach",
    "close_channel",
    "connect",
    "connection",
    "fingerprint",
    "resolve",
]
