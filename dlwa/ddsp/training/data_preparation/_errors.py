"""Why no dataset could be made."""


class PreparationError(ValueError):
    """No dataset can be made; ``hint`` says what to do, ``exit_code`` how the command ends."""

    exit_code = 1

    def __init__(self, reason: str, hint: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class UsageError(PreparationError):
    """The flags contradict each other or cannot be right."""


class InputMissingError(PreparationError):
    """The folder or pattern of recordings leads to nothing."""

    exit_code = 3
