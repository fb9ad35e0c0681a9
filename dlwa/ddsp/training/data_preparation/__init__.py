"""Turning recordings into the TFRecords a model learns from."""
