"""nvidia-smi's words: every odd field, every exit code."""

import pytest

from dlwa.tools import nvidia_smi
from dlwa.tools.nvidia_smi import ComputeApp, Gpu

A, B = "GPU-11111111-2222-3333-4444-555555555555", "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def test_two_ordinary_gpus() -> None:
    text = (
        f"1, {B}, NVIDIA GeForce RTX 3090, 24576, 18211, 97\n"
        f"0, {A}, NVIDIA GeForce RTX 3090, 24576, 5, 0\n"
    )
    first, second = nvidia_smi.parse_gpus(text)
    assert first == Gpu(0, A, "NVIDIA GeForce RTX 3090", 24576, 5, 0)
    assert second.is_full and not first.is_full


@pytest.mark.parametrize("word", ["[N/A]", "[Not Supported]", "[Insufficient Permissions]", ""])
def test_a_field_without_a_number_is_unknown(word: str) -> None:
    (gpu,) = nvidia_smi.parse_gpus(f"0, {A}, NVIDIA A100, {word}, {word}, {word}\n")
    assert gpu.memory_total_mib is None and gpu.utilization_percent is None
    assert not gpu.is_full
    assert nvidia_smi.parse_apps(f"{A}, 42, {word}\n") == [ComputeApp(A, 42, None)]


def test_units_and_a_comma_in_the_name_do_no_harm() -> None:
    (gpu,) = nvidia_smi.parse_gpus(f"0, {A}, Quadro, the old, 24576 MiB, 5 MiB, 3 %\n")
    assert (gpu.name, gpu.memory_total_mib, gpu.utilization_percent) == (
        "Quadro, the old",
        24576,
        3,
    )


@pytest.mark.parametrize(
    "text", ["", "\n", "No devices were found\n", "index, uuid\n", "a,b,c,d,e,f"]
)
def test_what_is_no_row_is_passed_over(text: str) -> None:
    assert nvidia_smi.parse_gpus(text) == []
    assert nvidia_smi.parse_apps(text) == []


@pytest.mark.parametrize(
    ("code", "health"),
    [(0, "ok"), (6, "none"), (9, "no driver"), (127, "absent"), (12, "broken"), (-9, "broken")],
)
def test_the_exit_code_tells_why_there_is_nothing(code: int, health: str) -> None:
    assert nvidia_smi.health(code) == health


def test_a_run_sees_only_what_it_claimed() -> None:
    env = nvidia_smi.environment([B])
    assert env["CUDA_VISIBLE_DEVICES"] == B
    assert env["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert env["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert nvidia_smi.environment([])["CUDA_VISIBLE_DEVICES"] == ""
