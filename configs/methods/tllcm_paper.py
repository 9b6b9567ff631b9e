# The three scales of the paper (Fig. 4); the author's TLLCM.m has one, 9.
method = dict(type="tllcm", scales=(5, 7, 9))
