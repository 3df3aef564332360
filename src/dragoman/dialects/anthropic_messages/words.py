"""What clients of Messages call things, and why a field that only Anthropic knows is lost elsewhere."""

from __future__ import annotations

from dragoman.core.call import Words

_CACHES = "the upstream caches on its own or not at all"
_CITES = "the upstream's dialect does not tell which passages an answer rests on"
_SERVES = "how and where a request is served is the upstream's own affair"

WORDS = Words(
    names={
        "stop": "stop_sequences",
        "budget": "thinking.budget_tokens",
        "effort": "output_config.effort",
        "user": "metadata.user_id",
        "parallel_tools": "tool_choice.disable_parallel_tool_use",
        "strict_tools": "tools.strict",
        "schema": "output_config.format",
        "file": "document",
        "failed": "is_error",
    },
    reasons={
        "anthropic_beta": "",
        "anthropic_version": "",
        "betas": "",
        "caller": "",
        "toolset_name": "",
        "eager_input_streaming": "",
        "cache_control": _CACHES,
        "citations": _CITES,
        "title": "the upstream's dialect has no titles for texts",
        "context": "the upstream's dialect has no place for what is said about a document",
        "transformations": "the upstream's dialect takes pictures as they are",
        "defer_loading": "the upstream is told of all tools at once",
        "allowed_callers": "the upstream's tools are called by the model alone",
        "input_examples": "the upstream's dialect has no examples of a tool's input",
        "container": "the upstream has no containers to run code in",
        "context_management": "the upstream gets the whole conversation",
        "mcp_servers": "the upstream calls no MCP servers",
        "diagnostics": "the upstream tells nothing about its cache",
        "service_tier": _SERVES,
        "inference_geo": _SERVES,
        "speed": _SERVES,
        "output_config.effort": "an answer without thinking takes no effort",
        "thinking.display": "the upstream tells its thinking or does not",
        "thinking.between_tools": "the upstream decides itself when to think",
    },
)
"""For every request of this dialect."""
