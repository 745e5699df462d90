"""One pair of sounds, what was sent and what was heard of it, compared by the sound alone. Mono at 16 kHz, numpy alone; `comparison.compare` is the way in.

sent, heard ──> offset       where the one lies in the other, however far apart the files begin
            ──> delays       of each window of speech: steps, drift; from which sample of the one each sample of the other comes
            ──> missing      stretches in which a voice should sound and nothing does: gaps, and starts that were cut off
            ──> clicks       jumps of the waveform that were not sent
"""
