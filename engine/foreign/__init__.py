"""Predictions that another program made: its files are found, read, and scored as a row like any other."""
