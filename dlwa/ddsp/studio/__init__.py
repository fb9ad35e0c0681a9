"""A page of this machine on which one plays sounds through a model: drop, turn, hear, see.

    python -m dlwa.ddsp.studio --models=models/ddsp

The page is built with Gradio. It listens on loopback and answers nobody but itself: requests that
come from another site's page, or under another host's name, are refused.
"""
