"""Zip and tar archives of pictures, read member by member. Nothing is unpacked, and every size has a bound."""

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from fashion_gan.datasets.picture_files import PICTURE_SUFFIXES
from fashion_gan.datasets.trees import Entry, Kind, entries_by_folder, file_stamp
from fashion_gan.errors import InputError, one_line
from fashion_gan.system import memory
from fashion_gan.system.array_files import SUFFIX as ARRAY_SUFFIX
from fashion_gan.system.array_files import check_member
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

ZIP_MAGIC, TAR_MAGIC, TAR_MAGIC_POSITION = b"PK", b"ustar", 257
COMPRESSED: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

MAX_MEMBERS = 1_000_000
MAX_DEPTH = 32  # folders inside folders
MAX_MEMBER_BYTES = 1 << 28  # of one picture file
# All members together may be so many times as long as the archive, or this long. Pictures hardly shrink.
MAX_RATIO, MIN_LIMIT = 100, 1 << 30
# A tar that is compressed as a whole can only be read from its start. Its pictures are kept in memory.
MAX_MEMORY_SHARE = 0.25

OUTSIDE = "the path leads out of the archive"
TOO_DEEP = f"more than {MAX_DEPTH} folders deep"
LINK = "links or devices in the archive"
TOO_LONG = f"longer than {MAX_MEMBER_BYTES >> 20} MB"
CODED = "encrypted, or compressed in a way that is not read"

Read = Callable[[], bytes]


class ArchiveTree:
    """The folders and files of an archive.

    Args:
        path: the archive.
        members: how to read each file, by its path inside the archive.
        left_out: the paths of members that are not read, and why.
    """

    def __init__(self, path: Path, members: dict[Path, Read], left_out: list[tuple[str, Path]]) -> None:
        self._path, self._members, self.left_out = path, members, left_out
        self._folders = entries_by_folder(path, dict.fromkeys(members, Kind.FILE))
        self._stamp = file_stamp(path)

    def entries(self, folder: Path) -> list[Entry]:
        """What a folder holds, sorted by name."""
        return self._folders.get(folder, [])

    def open(self, path: Path) -> io.BytesIO:
        """The content of a file. Raises InputError if it cannot be read."""
        try:
            return io.BytesIO(self._members[path]())
        except CORRUPT_FILE_ERRORS as error:
            raise InputError(f"{path} cannot be read as a picture: {one_line(error)}") from error

    def stamp(self, path: Path) -> str:
        """The size of the archive, and the time of its last change."""
        return self._stamp


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive. An ``.npz``, a zip archive of arrays, is none."""
    name = path.name.lower()
    if name.endswith((".zip", *TAR_SUFFIXES)):
        return True
    try:
        with open(path, "rb") as file:
            start = file.read(TAR_MAGIC_POSITION + len(TAR_MAGIC))
        if not start.startswith(ZIP_MAGIC):
            return start[TAR_MAGIC_POSITION:] == TAR_MAGIC
        if name.endswith(".npz"):
            return False
        with zipfile.ZipFile(path) as archive:
            return not all(member.endswith(ARRAY_SUFFIX) for member in archive.namelist())
    except CORRUPT_FILE_ERRORS:
        return False


def open_archive(path: Path) -> ArchiveTree:
    """List the members of an archive. None of them is unpacked.

    Members that are links or devices, are encrypted, or have a path that leads out of the archive are left out. If two
    have the same path, the last one is taken.

    Raises:
        InputError: the archive cannot be read, or it has too many members or too long ones.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(b"\xfd7zXZ"))
        if start.startswith(ZIP_MAGIC):
            return _open_zip(path)
        opener = next((opener for magic, opener in COMPRESSED.items() if start.startswith(magic)), None)
        return _open_tar(path) if opener is None else _open_compressed_tar(path, opener)
    except InputError:
        raise
    except (*CORRUPT_FILE_ERRORS, tarfile.TarError, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be read as an archive of pictures: {one_line(error)}") from error


class _Members:
    """The members of an archive that are read, and those that are left out.

    Args:
        archive: the archive's path.
    """

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self.read: dict[Path, Read] = {}
        self.left_out: list[tuple[str, Path]] = []
        self._count = 0
        self._bytes = 0
        self._limit = max(MAX_RATIO * archive.stat().st_size, MIN_LIMIT)

    def accept(self, name: str, size: int, fault: str = "") -> Path | None:
        """Check a member. Returns its path, or None if it is left out.

        Raises:
            InputError: there are too many members, or they are too long together.
        """
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise InputError(f"{self._archive} holds more than {MAX_MEMBERS:,} members: unpack it into a folder")
        # Some programs for Windows write backslashes.
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        path = self._archive.joinpath(*parts[:MAX_DEPTH])
        if not parts or ".." in parts or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name):
            fault, path = OUTSIDE, self._archive / "…" / (parts or ["…"])[-1].replace(":", "")
        elif len(parts) > MAX_DEPTH:
            fault = TOO_DEEP
        elif size > MAX_MEMBER_BYTES and _is_picture(path):
            fault = fault or TOO_LONG
        if fault:
            self.left_out.append((fault, path))
            return None
        if _is_picture(path):
            self._bytes += size
        if self._bytes > self._limit:
            raise InputError(
                f"{self._archive}: its pictures have more than {memory.format_bytes(self._limit)}, which is much for "
                "an archive of this size: unpack it into a folder if you trust it"
            )
        return path


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _open_zip(path: Path) -> ArchiveTree:
    archive = zipfile.ZipFile(path)  # It is closed with the last function that reads from it.
    members = _Members(path)

    def reader(member: zipfile.ZipInfo) -> Read:
        return lambda: archive.read(member)  # zipfile reads no more than the size that the member states.

    for member in archive.infolist():
        if member.is_dir():
            continue
        mode = stat.S_IFMT(member.external_attr >> 16)
        fault = LINK if mode not in (0, stat.S_IFREG) else _zip_fault(member)
        if (inner := members.accept(member.filename, member.file_size, fault)) is not None:
            members.read[inner] = reader(member)
    return ArchiveTree(path, members.read, members.left_out)


def _zip_fault(member: zipfile.ZipInfo) -> str:
    try:
        check_member(member)
    except ValueError:
        return CODED
    return ""


def _open_tar(path: Path) -> ArchiveTree:
    members = _Members(path)

    def reader(start: int, size: int) -> Read:
        def read() -> bytes:
            with open(path, "rb") as file:
                file.seek(start)
                content = file.read(size)
            if len(content) < size:
                raise EOFError("the archive ends before its end")
            return content

        return read

    with tarfile.open(path, "r:") as archive:
        while (member := archive.next()) is not None:
            if (inner := _accept_tar_member(members, member)) is not None:
                members.read[inner] = reader(member.offset_data, member.size)
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all.
        end = archive.offset
    if path.stat().st_size < end + tarfile.BLOCKSIZE:
        raise InputError(f"{path} is cut off: the mark of its end is missing")
    return ArchiveTree(path, members.read, members.left_out)


def _open_compressed_tar(path: Path, opener: Callable[[Path], io.BufferedIOBase]) -> ArchiveTree:
    members = _Members(path)
    limit = MAX_MEMORY_SHARE * memory.available_memory()

    def reader(content: bytes) -> Read:
        return lambda: content

    with opener(path) as stream, tarfile.open(fileobj=_Bounded(stream, path, limit), mode="r|") as archive:
        while (member := archive.next()) is not None:
            if (inner := _accept_tar_member(members, member)) is not None:
                file = archive.extractfile(member) if _is_picture(inner) else None
                members.read[inner] = reader(b"" if file is None else file.read())
    return ArchiveTree(path, members.read, members.left_out)


def _accept_tar_member(members: _Members, member: tarfile.TarInfo) -> Path | None:
    if member.isdir():
        return None
    is_plain = member.isreg() and not member.issparse()
    return members.accept(member.name, member.size, "" if is_plain else LINK)


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more bytes than fit into a share of the memory."""

    def __init__(self, stream: io.BufferedIOBase, path: Path, limit: float) -> None:
        self._stream, self._path, self._left = stream, path, limit

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise InputError(
                f"{self._path} is compressed as a whole, and too large for the memory when it is decompressed: "
                "decompress it to a .tar file, or unpack it into a folder"
            )
        return content
