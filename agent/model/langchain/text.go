package langchain

import "github.com/loongclaw/loongclaw/agent/model/wire"

// rawText is a JSON string as the provider meant it.
type rawText = wire.Text

// joiner gives whole characters out of pieces that may end in half of one.
type joiner struct{ wire.Joiner }

func (j *joiner) add(s string) string { return j.Add(s) }

func (j *joiner) rest() string { return j.Rest() }

func joinSurrogates(b []byte) []byte { return wire.JoinSurrogates(b) }
