"""What can be wrong with a recording or a model, for a musician to read."""


class TransferError(ValueError):
    """Something that stands in the way of a transfer; `hint` says what to do about it."""

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.hint = hint
