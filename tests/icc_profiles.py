"""Small ICC profiles (version 2) to embed in test images."""

import struct

import numpy as np

D65 = (0.3127, 0.3290)
WIDE_GAMUT = ((0.735, 0.265), (0.115, 0.826), (0.157, 0.018))
D50_XYZ = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def rgb_profile(
    primaries: tuple[tuple[float, float], ...] = WIDE_GAMUT, gamma: float = 2.2
) -> bytes:
    """A matrix profile of these primaries' chromaticities, with a white point of D65."""
    colorants = np.array([_xyz(*each) for each in primaries]).T
    white = _xyz(*D65)
    colorants = colorants * np.linalg.solve(colorants, white)
    scale = np.diag((BRADFORD @ D50_XYZ) / (BRADFORD @ white))
    adapted = np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ colorants
    tags = {f"{name}TRC": _curve(gamma) for name in "rgb"}
    tags |= {f"{name}XYZ": _xyz_tag(adapted[:, i]) for i, name in enumerate("rgb")}
    return _profile("RGB ", tags)


def gray_profile(gamma: float) -> bytes:
    return _profile("GRAY", {"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """A table-based profile in which each ink takes an equal part of the lightness, without hue."""
    ramp = bytes(range(256))
    corners = np.indices((2, 2, 2, 2)).reshape(4, -1).sum(0)  # inks of each corner, of 4
    table = b"".join(bytes([255 - 255 * inks // 4, 128, 128]) for inks in corners.tolist())
    matrix = b"".join(struct.pack(">i", round(v * 65536)) for v in np.eye(3).ravel())
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + table + ramp * 3
    return _profile("CMYK", {"A2B0": lut}, device="prtr", connection="Lab ")


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz_tag(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))


def _profile(
    space: str, tags: dict[str, bytes], device: str = "mntr", connection: str = "XYZ "
) -> bytes:
    tags = {**tags, "wtpt": _xyz_tag(D50_XYZ), "cprt": b"text\0\0\0\0none\0\0\0\0"}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name.encode(), offset + len(body), len(data))
        body += data
    kinds = (device.encode(), space.encode(), connection.encode())
    header = struct.pack(">I4xI4s4s4s", offset + len(body), 0x02100000, *kinds)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + _xyz_tag(D50_XYZ)[8:]
    return header.ljust(128, b"\0") + table + body
