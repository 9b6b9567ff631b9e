"""What a table says about a method besides its numbers."""

from dataclasses import dataclass

FAMILIES = ("classical", "deep")
FIDELITIES = ("author-code", "public-port", "reconstruction")


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """The identity of a method and how far its code can be trusted to be the published one.

    Attributes:
        title: The name a table prints, such as ``"Top-Hat"``.
        authors: First author and others, such as ``"Gao et al."``.
        year: Year of publication.
        venue: Journal or conference.
        url: Paper or repository.
        family: ``"classical"`` (no training) or ``"deep"``.
        fidelity: ``"author-code"`` (outputs equal the author's code), ``"public-port"`` (equal to a named third-party
            port) or ``"reconstruction"`` (from the paper; no code exists). Tables mark the last two.
        fidelity_scope: The part that ``fidelity`` speaks of where it is not the whole, such as ``"WPMD"``.
        notes: Quirks kept, defects repaired, anything a reviewer should know. One sentence an item.
    """

    title: str
    authors: str = ""
    year: int | None = None
    venue: str = ""
    url: str = ""
    family: str = "classical"
    fidelity: str = "reconstruction"
    fidelity_scope: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"family must be one of {FAMILIES}, not {self.family!r}")
        if self.fidelity not in FIDELITIES:
            raise ValueError(f"fidelity must be one of {FIDELITIES}, not {self.fidelity!r}")

    @property
    def fidelity_label(self) -> str:
        """``"reconstruction (WPMD)"``, or the bare fidelity where it covers the whole method."""
        return fidelity_label(self.fidelity, self.fidelity_scope)


def fidelity_label(fidelity: str, scope: str) -> str:
    """A fidelity with its scope in brackets behind it."""
    return f"{fidelity} ({scope})" if scope else fidelity
