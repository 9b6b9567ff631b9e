"""What the header of a safetensors file says of its weights; no tensor is read, and no PyTorch is needed."""

import os
from copy import deepcopy
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from irsam_zoo.zoo.reading import FileStamp, file_stamp, open_regular, parse_json

METADATA_KEY = "irsam_zoo"  # the one entry of the header, since safetensors writes several in any order; it holds JSON
INTEGERS_KEY, INTEGERS = "weights_as", "int8, one scale an output channel"  # in that JSON, where weights are integers
KINDS = dict.fromkeys(
    ("method", "dataset", "split", "schedule", "publisher", "source", "source_sha256", "train_ids_sha256"), str
)
KINDS |= dict.fromkeys(("plan", "start", "recipe", "options", "evaluation"), dict) | dict(seed=int, iterations=int, half=bool)
MOST = 100_000_000  # bytes of a header, by the format


def read_header(path: str | Path) -> dict[str, Any]:
    """What our trainer stored beside the tensors of a safetensors file; empty for a file that cannot be read."""
    stamp = file_stamp(path)
    return deepcopy(_read(stamp)) if stamp else {}


@lru_cache(maxsize=256)
def _read(stamp: FileStamp) -> dict[str, Any]:
    try:
        return own_metadata(_header(stamp[0]))[0]
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _header(path: str | Path) -> dict[str, Any]:
    """The texts in the header of a safetensors file, which is as long as it says."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(MOST, size - 8):
            raise ValueError("it has no header")
        header = parse_json(file.read(length))
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict):
        raise ValueError("its texts have no names")
    if max((about["data_offsets"][1] for about in header.values()), default=0) != size - 8 - length:
        raise ValueError("it is cut")
    return texts


def own_metadata(header: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The metadata in a header, and as what the weights are stored, None for as they are."""
    if METADATA_KEY not in header:
        return header, None
    metadata = parse_json(header[METADATA_KEY])
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is no JSON object")
    kind = metadata.pop(INTEGERS_KEY, None)
    seen, texts = metadata.get("seen", {}), []
    lists = [metadata.get("train_ids", []), *(seen.values() if isinstance(seen, dict) else [None])]
    if all(isinstance(images, (list, dict)) for images in lists):
        texts += [*chain(*lists), *chain(*(images.values() for images in lists if isinstance(images, dict)))]
    else:
        texts.append(lists)
    kinds = all(isinstance(metadata.get(name), (kind, type(None))) for name, kind in KINDS.items())
    if not kinds or not all(text is None or isinstance(text, str) for text in texts):
        raise ValueError("its metadata is not what this project writes")
    return metadata, kind
