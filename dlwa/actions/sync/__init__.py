"""Push and fetch: moving files between a laptop and a lab, over one pipe."""
