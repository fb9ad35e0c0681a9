"""How the demo recordings were made: a score, a player's habits, a General MIDI sound font."""
