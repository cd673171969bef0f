import pytest

from monetize import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.CheckpointError, 1),
        (errors.OutOfMemory, 1),
        (errors.StorageError, 1),
        (errors.UsageError, 2),
        (errors.Interrupted, 130),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[errors.MonetizeError], code: int) -> None:
    assert kind("why").exit_code == code
