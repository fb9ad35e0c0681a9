"""The far end of push and fetch: started in the lab, it serves one laptop over its pipe.

Everything that arrives is a claim and is checked: names, sizes, digests, whose folder it is.
"""

from dlwa.actions.sync.far._serve import MAGIC, serve

__all__ = ["MAGIC", "serve"]
