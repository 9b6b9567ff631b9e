"""A package, so that `tests` is this folder and not the one that mmsegmentation installs."""
