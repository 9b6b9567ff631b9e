"""Weights in files: the forms that they come in, what is known of published ones, and which a method takes."""
