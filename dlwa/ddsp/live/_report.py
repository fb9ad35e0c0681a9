"""How well a live performance kept up."""

import numpy as np


def measured(engine, late=0):
    """Figures of a performance as plain values.

    Args:
        engine: an Engine that has played.
        late: blocks that came too late.
    """
    took_ms = 1000.0 * np.asarray(engine.took_s or [0.0])
    block_ms = 1000.0 * engine.block_s
    return {
        "blocks": len(engine.took_s),
        "block_ms": round(block_ms, 2),
        "median_ms": round(float(np.median(took_ms)), 2),
        "p99_ms": round(float(np.percentile(took_ms, 99)), 2),
        "worst_ms": round(float(took_ms.max()), 2),
        "x_real_time": round(block_ms / max(1e-6, float(took_ms.mean())), 2),
        "latency_ms": round(1000.0 * engine.behind_s, 1),
        "late": late,
    }


def told(figures):
    """The figures as a line for people."""
    return (
        f"{figures['blocks']} blocks of {figures['block_ms']:g} ms: half within "
        f"{figures['median_ms']:g} ms, 99 % within {figures['p99_ms']:g} ms, "
        f"{figures['x_real_time']:g} x real time; latency {figures['latency_ms']:g} ms "
        f"and the sound card's; {figures['late']} late"
    )
