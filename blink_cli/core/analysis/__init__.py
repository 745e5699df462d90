"""What the packets of a call say: loss, jitter, clocks, delay, quality. The live monitor and the offline command use the same classes.

packets, outcomes, reports ──> CallAnalysis ──> StreamAnalysis ──> InboundFigures
                                    |               |-- ReceptionStatistics   RFC 3550
                                    |               |-- LossPattern           RFC 3611, before and after repair
                                    |               |-- ClockDrift            lower envelope
                                    |               '-- e_model               after ITU-T G.107.1
                                    '--> SentAnalysis ──> OutboundFigures
"""
