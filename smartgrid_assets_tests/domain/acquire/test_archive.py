"""Zip archives: their members, and those that are not opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from smartgrid_assets.domain.acquire import archive
from smartgrid_assets.domain.acquire.reader import unpack
from smartgrid_assets.domain.errors import DeliveryError


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "day.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as handle:
        for name, content in members.items():
            handle.writestr(name, content)
    return path


def test_a_plain_file_is_its_own_only_member(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x")
    assert unpack(file, tmp_path / "work") == [("a.csv", file)]


def test_members_are_unpacked_under_the_work_folder_and_named_by_archive_and_member(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"north/a.csv": b"1", "south/a.csv": b"2", "__MACOSX/a.csv": b"litter", "north/": b""})
    members = unpack(path, tmp_path / "work")
    assert [name for name, _ in members] == ["day.zip!north/a.csv", "day.zip!south/a.csv"]
    assert [member.read_bytes() for _, member in members] == [b"1", b"2"]
    assert all(tmp_path / "work" in member.parents for _, member in members)


def test_an_archive_whose_directory_begins_before_the_file_does_is_damaged(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.csv": b"1"})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (1000).to_bytes(4, "little")  # the size that the directory claims
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match="is damaged"):
        unpack(path, tmp_path / "work")


def test_archives_of_one_name_and_of_the_longest_name_are_unpacked_side_by_side(tmp_path: Path) -> None:
    """Found by the fuzzer: each archive of a name made the folder's name longer, until it was too long."""
    packed = zipped(tmp_path, {"a.csv": b"x"})
    longest = packed.rename(tmp_path / f"{'n' * 251}.zip")
    found = [unpack(longest, tmp_path / "work")[0] for _ in range(300)]
    assert len({path for _, path in found}) == 300 and {name for name, _ in found} == {f"{longest.name}!a.csv"}


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "..\\evil.csv", "C:\\evil.csv"])
def test_a_member_that_points_outside_is_refused_and_nothing_is_unpacked(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeliveryError, match="points outside"):
        unpack(zipped(tmp_path, {"good.csv": b"1", name: b"2"}), tmp_path / "work")
    assert not (tmp_path / "work").exists() and not (tmp_path / "evil.csv").exists()


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.csv": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match="encrypted"):
        unpack(path, tmp_path / "work")


def test_a_bomb_is_stopped_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "RATIO_FREE_BYTES", 1 << 20)
    with pytest.raises(DeliveryError, match="zip bomb"):
        unpack(zipped(tmp_path, {"a.csv": b"0" * (8 << 20)}), tmp_path / "work")


def test_more_than_the_limit_in_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1500)
    with pytest.raises(DeliveryError, match="Split the archive"):
        unpack(zipped(tmp_path, {"a.csv": b"0" * 1000, "b.csv": b"0" * 1000}), tmp_path / "work")


def test_a_damaged_or_empty_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.csv": bytes(range(256)) * 50})
    content = bytearray(path.read_bytes())
    content[40:60] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match="damaged"):
        unpack(path, tmp_path / "work")
    with pytest.raises(DeliveryError, match="holds no file"):
        unpack(zipped(tmp_path, {}), tmp_path / "other")
