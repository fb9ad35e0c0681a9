"""The near end of push and fetch: what to send, what came of each file."""

from dlwa.actions.sync.near._answers import error_of
from dlwa.actions.sync.near._fetch import fetch
from dlwa.actions.sync.near._push import push
from dlwa.actions.sync.near._result import Result, Shown

__all__ = ["Result", "Shown", "error_of", "fetch", "push"]
