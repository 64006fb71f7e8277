// Package modeltest is the one fake of the providers of models: an HTTP server
// that speaks OpenAI's chat stream, says what a script tells it, and
// misbehaves as real providers do.
//
// Owns: the replies, their faults, and the record of what was asked.
// Touches: a loopback port, when it is told to listen.
// Never: decides what is right. It plays a provider; the tests judge.
//
// A strict server (s.Strict("mistral")) also refuses what the real provider of
// that name refuses: roles, ids, names, blanks, missing results and reasoning,
// another provider's thoughts, fields that it does not know.
//
// Use it in three ways. In a test: s := modeltest.New(); s.Start(t); s.Script(…).
// In a bubble of testing/synctest: s.Client() answers without a socket. As a
// program: (&http.Server{Handler: s}).Serve(…), or Listen, and let the messages
// carry their own scripts, {"modeltest": {"text": "…", "fault": "cut"}}, or a
// list of replies, one for each round of tools. What is not scripted is answered
// with an echo in 50 chunks.
package modeltest
