"""Hosts on one machine, and a bad network between them.

    host alice (network namespace)          host bob
        eth0 = TAP                              eth0 = TAP
          |                                       |
          '------ wire.py: one process -----------'
                  core/impairment: what becomes of a frame, per direction, from a seed

`laboratory.py` makes the hosts, starts the wire, and changes its conditions while sessions talk. Frames are whole Ethernet:
ARP, multicast, DNS-SD and IPv6 pass as on a switch that floods.
"""
