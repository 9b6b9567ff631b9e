"""Layers, blocks and losses that several networks share."""
