"""Checking the configuration files of a checkpoint."""

import pytest
from helpers import Tiny

from monetize.checkpoints.configs import check_configs
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.errors import CheckpointError


def test_a_file_that_changes_after_a_check_is_checked_again(tiny_copy: Tiny) -> None:
    checkpoint = resolve(str(tiny_copy.painter), PAINTER)
    check_configs(checkpoint)
    file = tiny_copy.painter / "unet" / "config.json"
    file.write_text(file.read_text().replace('"in_channels": 4', '"in_channels": 4000000'))
    with pytest.raises(CheckpointError, match="in_channels is 4000000, more than any model has"):
        check_configs(checkpoint)
