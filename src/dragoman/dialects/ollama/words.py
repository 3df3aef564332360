"""What Ollama's clients call things, and why a field that only Ollama knows is lost elsewhere."""

from __future__ import annotations

from dragoman.core.call import Words

_LOCAL = (
    "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "use_mmap", "use_mlock", "numa", "low_vram",
    "f16_kv", "logits_all", "vocab_only", "embedding_only", "draft_num_predict",
)  # fmt: skip
"""Options that say how a model runs on one's own machine; none of them changes what it answers."""
_SAMPLER = "only Ollama's own sampler knows it"
_OPTIONS = {
    "num_ctx": "a remote model's context window is as large as it is",
    "typical_p": _SAMPLER,
    "tfs_z": _SAMPLER,
    "mirostat": _SAMPLER,
    "mirostat_eta": _SAMPLER,
    "mirostat_tau": _SAMPLER,
    "repeat_last_n": _SAMPLER,
    "penalize_newline": _SAMPLER,
}

WORDS = Words(
    names={
        **{
            name: f"options.{name}"
            for name in (
                "temperature", "top_p", "top_k", "min_p", "stop", "seed", "presence_penalty", "frequency_penalty",
                "repeat_penalty",
            )
        },
        "max_tokens": "options.num_predict",
        "effort": "think",
        "json": "format",
        "schema": "format",
        "image": "images",
        "strict_tools": "tools",
    },
    reasons={
        **{f"options.{name}": "" for name in _LOCAL},
        **{f"options.{name}": reason for name, reason in _OPTIONS.items()},
        "keep_alive": "",
        "truncate": "",
        "shift": "",
        "_debug_render_only": "",
        "template": "a remote model has a template of its own",
        "raw": "a remote model always applies its own template",
        "context": "answers leave no context behind to go on from",
    },
)  # fmt: skip
"""For every request of this dialect."""
