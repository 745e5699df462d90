"""The running counts behind `PlayoutStatistics`."""

import dataclasses


@dataclasses.dataclass(slots=True)
class PlayoutCounters:
    """Each counts what the field of `PlayoutStatistics` of the same name says."""

    total_samples_received: int = 0
    concealed_samples: int = 0
    silent_concealed_samples: int = 0
    concealment_events: int = 0
    skipped_samples: int = 0
    jitter_buffer_delay_s: float = 0.0
    jitter_buffer_target_delay_s: float = 0.0
    jitter_buffer_emitted_count: int = 0
    packets_received: int = 0
    packets_discarded: int = 0
    packets_duplicated: int = 0
    packets_recovered_by_redundancy: int = 0
    packets_recovered_by_retransmission: int = 0
    packets_recovered_by_fec: int = 0
    packets_recovered_by_dred: int = 0
    packets_undecodable: int = 0
