"""paramiko's SSH connection, whose failures are failures of the line."""

import paramiko

from dlwa.words import printable


class Transport(paramiko.Transport):
    """paramiko's, which may end with any error at all when a machine sends what is no SSH."""

    def get_exception(self) -> Exception | None:
        """What ended the connection, if nobody has asked before."""
        error = super().get_exception()
        if error is None or isinstance(error, (paramiko.SSHException, OSError, EOFError)):
            return error
        return paramiko.SSHException("it sent what is no SSH")


def told(error: BaseException) -> str:
    """What an error says; some of a cut line say nothing, others the words of the machine."""
    return printable(str(error), instead=" ") or "it was cut"
