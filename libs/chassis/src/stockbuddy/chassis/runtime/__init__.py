"""What a process of any kind needs: settings, logging, metrics, background workers, shutdown."""
