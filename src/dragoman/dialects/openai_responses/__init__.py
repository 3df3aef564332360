"""OpenAI's Responses: items instead of messages, a stream of named events, and answers that can be continued."""
