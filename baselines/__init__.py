"""Detectors of other authors, reimplemented: one file a method in `classical` and `deep`."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
