"""Floor 2: the way to upstreams: pooled HTTP/1.1 connections, their deadlines and their limits."""
