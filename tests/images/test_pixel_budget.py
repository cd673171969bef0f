import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from monetize.images.pixel_budget import PixelBudget


@pytest.mark.parametrize(("pixels", "most_at_once"), [(30, 3), (50, 2), (60, 1), (500, 1)])
def test_threads_hold_no_more_pixels_than_there_are(pixels: int, most_at_once: int) -> None:
    budget = PixelBudget(100)
    lock = threading.Lock()
    now, most = 0, 0

    def work(_: int) -> None:
        nonlocal now, most
        with budget.reserve(pixels):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.01)
            with lock:
                now -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))
    assert most == most_at_once


def test_a_large_image_is_not_starved_by_small_ones() -> None:
    budget = PixelBudget(100)
    order: list[str] = []

    def work(name: str, pixels: int) -> None:
        with budget.reserve(pixels):
            order.append(name)

    threads = []
    with budget.reserve(60):
        for name, pixels in (("large", 100), ("small", 10)):
            threads.append(threading.Thread(target=work, args=(name, pixels)))
            threads[-1].start()
            time.sleep(0.05)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == ["large", "small"]


def test_pixels_are_released_after_an_error() -> None:
    budget = PixelBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.reserve(100):
            raise ValueError("broken")
