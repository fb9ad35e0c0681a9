"""Argv builders and text parsers for other programs; they start nothing."""
