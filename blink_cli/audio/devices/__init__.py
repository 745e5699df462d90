"""Where sound comes from and goes to: PortAudio's devices and virtual ones, behind one interface.

opener.py       a device's name -> a device ready to start
interface.py    what every device can do
virtual.py      clocks of devices that have no hardware; file_input, tone_input, wav_output, null_output use them
portaudio.py    the only module that imports sounddevice
listing.py      which devices the system has, asked in a process of its own
health.py       what tells that a device is gone, stalled, or delivers nothing
"""
