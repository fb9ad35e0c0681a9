"""Labs on other machines: the commands sent there, checking them, bringing dlwa there."""
