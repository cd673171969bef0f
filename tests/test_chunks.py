from monetize.chunks import chunks


def test_work_is_cut_in_order_and_the_last_chunk_may_be_smaller() -> None:
    assert chunks("abcdefg", 3) == ["abc", "def", "g"]
    assert chunks([], 3) == []
