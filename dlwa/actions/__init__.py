"""What a user asks for, one module a subject; no printing, no argument parsing.

Within this floor imports go one way: gpus, runs <- sessions <- launch <- stopping <- the rest.
"""
