"""The union of several data sets, such as SIRST3 of LESPS, SCTransNet and PAL."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.duplicates import cross_duplicates
from irsam_zoo.datasets.remarks import Look, Remark
from irsam_zoo.zoo.errors import UsageError

JOINT = "+"  # between the names of a union, as in "nuaa-sirst+irstd-1k"


class JoinedDataset(IRSTDDataset):
    """Several data sets one after the other; an id is ``<data set>/<id>``.

    Its training list is what all their training lists hold, less the images that are near-duplicates of an image of
    another member's test list (`datasets.duplicates.cross_duplicates`). Its test list is all their test lists.
    A subclass may state ``name`` and ``title``; otherwise they are those of the members with a ``+`` between.

    Arguments:
        members (list[IRSTDDataset]): The same subset of each, opened with the same split.
        tests (list[IRSTDDataset]): The test subset of each.

    Attributes:
        left_out (list[str]): The ids that the training list lost, as ``<data set>/<id>``, in its order.

    Raises:
        UsageError: Two members have one name.
    """

    def __init__(self, *, members: Sequence[IRSTDDataset], tests: Sequence[IRSTDDataset]):
        self.members = {member.name: member for member in members}
        if len(self.members) < len(members):
            raise UsageError(f"a data set is joined with one of its own name: {', '.join(m.name for m in members)}; rename one")
        self.name = self.name or JOINT.join(self.members)
        self.title = self.title or JOINT.join(member.title for member in members)
        self.left_out: list[str] = []
        self._tests = tests
        super().__init__(root=members[0].root, split=members[0].split, subset=members[0].subset)

    def list_ids(self) -> list[str]:
        ids = [f"{name}/{id}" for name, member in self.members.items() for id in member.ids]
        if self.subset != "train":
            return ids
        pairs = cross_duplicates(list(self.members.values()), self._tests)
        twins = {f"{pair.dataset}/{pair.id}" for pair in pairs}
        self.left_out = [id for id in ids if id in twins]
        return [id for id in ids if id not in twins]

    def read_grey_pair(self, id: str) -> tuple[np.ndarray, np.ndarray]:
        member, own = self.origin(id)
        return member.read_grey_pair(own)

    def stamp(self, id: str) -> tuple[Any, ...]:
        member, own = self.origin(id)
        return member.name, member.stamp(own)

    def looks(self) -> dict[str, Look | None]:
        found = {name: member.looks() for name, member in self.members.items()}
        origins = {id: self.origin(id) for id in self.ids}
        return {id: found[member.name][own] for id, (member, own) in origins.items()}

    def set_remarks(self) -> list[Remark]:
        return [
            remark._replace(text=f"{name}: {remark.text}")
            for name, member in self.members.items()
            for remark in member.set_remarks()
        ]

    def sequence(self, id: str) -> str:
        member, own = self.origin(id)
        return f"{member.name}/{member.sequence(own)}"

    def origin(self, id: str) -> tuple[IRSTDDataset, str]:
        """The member that an id comes from, and the id there."""
        name, _, own = id.partition("/")
        return self.members[name], own
