"""Fixtures shared by all tests: no network, no GPU, no camera, no screen."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny tensors on a busy machine: threads that spin for each other cost a thousand times the work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, however slowly they are made: what is new is for the fuzzers to find.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


SLOW = frozenset(
    f"{name}.py"
    for name in (
        *(
            "test_adapter",
            "test_archive",
            "test_archive_labels",
            "test_archive_ray",
            "test_archive_s3",
            "test_archive_search",
            "test_benchmarks",
            "test_browser",
            "test_changing",
            "test_clients",
            "test_clock_restarts",
            "test_clock_restarts_formats",
        ),
        *(
            "test_datasets",
            "test_evaluate",
            "test_event_files",
            "test_event_files_hdf5",
            "test_event_files_hdf5_places",
            "test_event_files_ros",
        ),
        *(
            "test_fewshot",
            "test_foxglove",
            "test_fuzz",
            "test_long_runs",
            "test_mqtt",
            "test_paused_place",
            "test_plugins",
            "test_ring_model",
            "test_ros2",
        ),
        *(
            "test_search",
            "test_server",
            "test_show",
            "test_simulator",
            "test_start",
            "test_stress",
            "test_teaching",
        ),
        *("test_tls", "test_training", "test_training_text", "test_word_targets"),
        *("test_faults_camera", "test_faults_network", "test_faults_recording", "test_faults_sinks"),
        *(
            "test_event_stream_menu",
            "test_faults_files",
            "test_faults_time",
            "test_faults_window",
            "test_keys",
        ),
        # windows of which most tests make one
        *("test_app", "test_camera_panel", "test_closing", "test_closing_changes", "test_commands"),
        *("test_first_look", "test_garbage", "test_killed", "test_new_panels", "test_past", "test_promises"),
        *("test_prompt_sets", "test_record", "test_seen", "test_teach", "test_undo", "test_window"),
    )
)
"""Modules of which a test takes more than a second or two, or all together more than ten: marked ``slow``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _normal_priority() -> Iterator[None]:
    """Train at normal priority: beside another busy program a lower one gets no core for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuroclip_live.learning.teaching.lower_priority", lambda: None)
        yield


DESCRIPTORS = Path("/proc/self/fd")
MOST_DESCRIPTORS = 500
"""``select``, which clients of others wait with, fails above 1,024: far from the test that left them open."""


@pytest.fixture(autouse=True)
def _files_are_closed() -> Iterator[None]:
    yield
    if DESCRIPTORS.is_dir() and len(os.listdir(DESCRIPTORS)) > MOST_DESCRIPTORS:
        gc.collect()
        assert len(os.listdir(DESCRIPTORS)) <= MOST_DESCRIPTORS, "tests left files or sockets open"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings and images that lies beside a developer's checkout."""
    if not DATA.is_dir():
        pytest.skip("real recordings are not here: ../shared/data beside the checkout is absent")
    return DATA
