"""The version of dlwa, spelt once."""

__version__ = "0.1.0"
