"""A disk that fails when a test wants it to, below a real database."""

import apsw

from archive.sqlite import prepare


class Disk(apsw.VFS):
    """The real disk, which counts syncs and fails from a chosen write or sync on."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails_after: int | None = None
        self.error: type[apsw.Error] = apsw.FullError
        prepare()  # what keeps checksums writes to this disk in turn
        self.real = apsw.vfs_names()[0]
        super().__init__("tested-disk", self.real, makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 apsw's name
        return _File(self, name, flags)

    def count(self, call: str) -> None:
        self.calls.append(call)
        if self.fails_after is not None and len(self.calls) > self.fails_after:
            raise self.error("a failing disk")

    def remove(self) -> None:
        apsw.set_default_vfs(self.real)
        self.unregister()


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: object, flags: list[int]) -> None:
        super().__init__(disk.real, name, flags)  # type: ignore[arg-type]
        self._disk = disk
        self._name = str(name.filename() if isinstance(name, apsw.URIFilename) else name)

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802 apsw's name
        self._disk.count(f"write {self._name}")
        super().xWrite(content, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 apsw's name
        self._disk.count(f"sync {self._name}")
        super().xSync(flags)
