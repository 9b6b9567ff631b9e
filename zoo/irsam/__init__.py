"""IRSAM: the main method."""
