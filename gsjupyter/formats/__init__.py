"""File formats to deploy in: one file a format, and the manifest beside each artifact."""

from gsjupyter.formats.manifest import Manifest, check_files, manifest_path, sha256

__all__ = ["Manifest", "check_files", "manifest_path", "sha256"]
