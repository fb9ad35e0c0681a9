"""Making layers configurable by gin in a way that Keras 3 can live with."""

import gin


def configurable_layer(module):
    """Decorate a Keras layer class so that gin bindings act on every construction.

    gin replaces a class's __init__ by a function of `*args`; Keras looks for a first argument
    named in its signature and fails without one, so the replacement gets one.

    Args:
        module: the public module under which gin knows the class.
    """

    def decorate(cls):
        cls = gin.configurable(cls, module=module)
        configured = cls.__init__

        # Not functools.wraps: Keras would follow its link back to the function of *args.
        def initialize(self, *args, **kwargs):
            configured(self, *args, **kwargs)

        # Who asks for the parameters (gin_util) finds the function behind it here.
        initialize.behind = configured
        cls.__init__ = initialize
        return cls

    return decorate
