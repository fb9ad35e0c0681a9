"""What is wrong in a configuration, and where."""


class GinError(ValueError):
    """A configuration cannot be right.

    Attributes:
        problem: what is wrong, as name=value, and what was expected.
        place: `file:line`, or the flag it came from; '' if it belongs to no line.
        hint: what to write instead.
    """

    def __init__(self, problem, place="", hint=""):
        self.problem, self.place, self.hint = problem, place, hint
        text = f"{place}: {problem}" if place else problem
        super().__init__(f"{text}. {hint}" if hint else text)
