"""Folders that belong to a package: inside it in a wheel, elsewhere in the repository and in images."""

from pathlib import Path


def folder_beside(package_file: str, name: str, in_repository: Path) -> Path:
    """The folder `name` next to `package_file` (a module's `__file__`) if the package is installed from a wheel, else
    `in_repository`."""
    packaged = Path(package_file).resolve().parent / name
    return packaged if packaged.is_dir() else in_repository
