"""The program from Python: `import blink_cli as blink` (docs/api.md). Sessions of this process and of others by the same methods, typed; what `--json` prints, as values."""
