package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Limits of the contract.
const (
	// MaxMessage is the longest message of a user, in bytes.
	MaxMessage = 256 << 10
	// MaxInstructions is the longest text that a client puts beside one message,
	// in bytes.
	MaxInstructions = 1 << 20
	// MaxEarlier is how many exchanges of an earlier conversation are kept, the
	// newest ones, when a client brings it to a new session. Each becomes four
	// records, which are much larger than a short exchange, and all of them stand
	// in one object with the message.
	MaxEarlier = 10_000
	// MaxWaiting is how many messages may wait in a session behind a run.
	MaxWaiting = 8
	// MaxAttachments is how many files one message brings along.
	MaxAttachments = 16
	// MaxID is the longest session id, in bytes of UTF-8.
	MaxID = 128
	// DefaultSession is the session of a request that names none.
	DefaultSession = "default"
)

// CheckSession returns an error unless id can name a session: 1 to MaxID bytes of UTF-8
// without control characters, slashes and backslashes, and not a dot path.
// Spaces and any script are welcome. How an id becomes a key in the store is
// the agent's concern; this only keeps out what no honest client sends.
func CheckSession(id string) error {
	switch {
	case id == "":
		return badSession("is empty")
	case len(id) > MaxID:
		return badSession("is longer than 128 bytes")
	case !utf8.ValidString(id):
		return badSession("is not UTF-8")
	case id == "." || id == "..", strings.ContainsAny(id, `/\`):
		return badSession("looks like a path")
	case strings.ContainsFunc(id, unicode.IsControl):
		return badSession("has a control character")
	}
	return nil
}

func badSession(why string) error {
	return fault.New(fault.CodeInvalidSession, "the session id "+why, "use 1 to 128 bytes of text without slashes and control characters")
}

// CheckMessage returns an error unless text can be a message.
func CheckMessage(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		// The original's words: its pages show them.
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数", `send {"message":"…"} with some text`)
	case len(text) > MaxMessage:
		return fault.New(fault.CodeTooLarge, "the message is longer than 256 KiB", "send it in parts, or as a file")
	case !utf8.ValidString(text):
		return fault.New(fault.CodeInvalidRequest, "the message is not UTF-8", "send text as UTF-8")
	}
	return nil
}
