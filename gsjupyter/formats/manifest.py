"""The manifest beside an artifact: what it was made from, how, with what, and that it is still what was written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gsjupyter.errors import ModelFileError

SUFFIX = ".manifest.json"
VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """What is known of an artifact.

    Parameters
    ----------
    source : str
        The network's name.
    format : str
        The file format.
    created : str
        When, in ISO 8601 with the time zone.
    options : mapping
        The conversion's options.
    versions : mapping of str to str
        The software that made it.
    checks : mapping
        The verification's figures.
    files : mapping of str to str
        SHA-256 of each file, in hexadecimal, by its path relative to the manifest.
    """

    source: str
    format: str
    created: str
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    checks: Mapping[str, Any]
    files: Mapping[str, str]

    def save(self, path: Path) -> None:
        """Write the manifest."""
        text = json.dumps({"version": VERSION, **asdict(self)}, indent=2, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Manifest":
        """Read a manifest.

        Raises
        ------
        ModelFileError
            If it is damaged, or of a later version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version = content.pop("version")
            if version != VERSION:
                raise ModelFileError(f"{path.name} has version {version}, this gsjupyter reads {VERSION}.")
            _check_parts(content)
            manifest = cls(**content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ModelFileError(f"{path.name} is no manifest of gsjupyter: {error}") from error
        return manifest


def _check_parts(content: Mapping[str, Any]) -> None:
    for part in ("options", "versions", "checks", "files"):
        if not isinstance(content[part], dict):
            raise TypeError(f"{part} is no object")


def manifest_path(artifact: Path) -> Path:
    """Return where an artifact's manifest lies."""
    return artifact.with_name(artifact.name + SUFFIX)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_files(artifact: Path) -> Manifest | None:
    """Check an artifact against the manifest beside it; return the manifest, None if there is none.

    Raises
    ------
    ModelFileError
        If a file is missing or isn't what was written.
    """
    place = manifest_path(artifact)
    if not place.is_file():
        return None
    manifest = Manifest.load(place)
    if artifact.name not in manifest.files:
        raise ModelFileError(
            f"{place.name} describes other files than {artifact.name}.",
            advice=f"Give the file its old name back, or delete {place.name}: then nothing tells that it is unchanged.",
        )
    root = artifact.parent.resolve()
    for name, digest in manifest.files.items():
        if not _is_unchanged(root / name, root, digest):
            raise ModelFileError(
                f"{name} is not what was exported: it is cut off, or was changed since {manifest.created}.",
                advice=f"Export it again; or, if you changed it on purpose, delete {place.name}.",
            )
    return manifest


def _is_unchanged(file: Path, root: Path, digest: str) -> bool:
    try:
        return file.resolve().is_relative_to(root) and file.is_file() and sha256(file) == digest
    except (OSError, RuntimeError, ValueError):
        # Links in a circle, or a name that no file can have.
        return False
