"""Peers that our forecasts are measured against, their settings frozen on 2026-11-27, before ours were judged. Never tuned since."""
