// Package openai is the form in which OpenAI's clients ask and are answered:
// POST /v1/chat/completions and GET /v1/models.
//
// Owns: the reading of such a request, and the JSON of answers, chunks and models.
// Touches: nothing; text in, text out.
// Never: runs anything, or knows where a conversation is kept.
package openai
