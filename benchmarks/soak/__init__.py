"""An hour of trouble: many agents on one machine, of which some are always being killed, stopped, or started again."""
