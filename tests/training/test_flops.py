"""The arithmetic of training, beside figures that were worked out elsewhere."""

import pytest

from benchmarks.training.flops import Network, document_flops, flops_a_token, peak_flops

QWEN3_4B = Network(4_022_468_096, 36, 32 * 128)


@pytest.mark.parametrize(("tokens", "giga"), [(1, 24.1), (8192, 31.4), (32768, 53.1)])
def test_qwen3_4b_in_documents_of_known_lengths(tokens: int, giga: float) -> None:
    """24.1 GFLOP a token for the parameters; with attention 31.4 in a document of 8k and 53.1 in one of 32k."""
    assert document_flops(QWEN3_4B, tokens) / tokens / 1e9 == pytest.approx(giga, abs=0.05)


def test_attention_is_counted_by_document() -> None:
    """Two documents are less than one as long as both; the mean weighs documents by their tokens."""
    one, two = document_flops(QWEN3_4B, 1000), document_flops(QWEN3_4B, 2000)
    assert two > 2 * one
    assert flops_a_token(QWEN3_4B, [1000, 2000]) == pytest.approx((one + two) / 3000)
    per_pair = 3 * 2 * 2 * 36 * 4096 / 2
    assert two - 2 * one == pytest.approx(per_pair * (2000**2 - 2 * 1000**2))


def test_parameters_count_six_times() -> None:
    """Without layers there is nothing else."""
    assert document_flops(Network(10, 0, 0), 7) == 6 * 10 * 7


@pytest.mark.parametrize(
    ("device", "tera"),
    [
        ("NVIDIA H200", 989),
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA L40S", 362),
        ("NVIDIA L4", 121),
    ],
)
def test_peaks_are_found_by_the_names_of_devices(device: str, tera: float) -> None:
    """As PyTorch tells them; the longer of two names counts."""
    assert peak_flops(device) == tera * 1e12


@pytest.mark.parametrize("device", ["CPU, 1 threads", "NVIDIA GeForce GTX 1080", ""])
def test_an_unknown_device_has_no_peak(device: str) -> None:
    """No peak is better than a wrong one."""
    assert peak_flops(device) is None
