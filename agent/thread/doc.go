// Package thread tells to which conversation a request of an OpenAI client
// belongs, and whether it belongs to one at all. Such clients keep their
// conversations themselves, name none, and also ask for titles and the like.
//
// Owns: the comparison of what a client says was said with what is in a session,
// the index of texts that proposes sessions for it, and the shape of the tasks
// that chat clients set a model beside a conversation.
// Touches: nothing; text in, decisions out.
// Never: starts a run, or compares texts of two users.
package thread
