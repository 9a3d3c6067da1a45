//! Composes the roles into one process: configuration, listeners, telemetry, shutdown.
